// rollcall.v1.Server/GetStats

internal import CRollcallProto
internal import DeviceModel
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// What the server has counted and measured.
    var getStats: Method {
        Method(
            .server("GetStats"),
            .deferred { _, bytes, reply in
                do throws(Status) {
                    try self.decode(Messages.getStatsRequest, bytes) { _, _ in }
                } catch {
                    return reply.fail(error)
                }
                self.stats.collect { stats in
                    reply.succeed { output in Arena.current.scope { output.append($0.message(stats)) } }
                }
            })
    }
}
