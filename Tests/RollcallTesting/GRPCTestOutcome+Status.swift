// The status that a call of the test client ended with.

internal import Foundation
internal import NIOHPACK
internal import ProtobufC
package import RPC
internal import StatusWire

extension GRPCTestOutcome {
    /// The status in the trailers, with the details that came with it; nil where the call had no end.
    package var status: Status? {
        guard let code = self.trailers?.first(name: "grpc-status").flatMap({ Int32($0) }) else {
            return nil
        }
        let message = self.trailers?.first(name: "grpc-message")?.removingPercentEncoding ?? ""
        guard let details = self.trailers?.first(name: "grpc-status-details-bin"),
            let bytes = Data(base64Encoded: details),
            let status = try? bytes.withUnsafeBytes({ bytes in
                try Arena.current.decode(Messages.googleRpcStatus, from: bytes) { Status($0.pointee, Arena.current) }
            })
        else {
            return Status(Status.Code(rawValue: code), message)
        }
        return status.code.rawValue == code && status.message == message ? status : nil
    }
}
