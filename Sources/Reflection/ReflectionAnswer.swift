// One question, one answer. What cannot be answered is an error_response; only bytes that are no request end a stream.

internal import CRollcallProto
internal import Descriptors
internal import NIOCore
internal import ProtobufC
internal import RPC

/// Names of the files that a stream has been sent.
typealias SentFiles = Set<String>

/// What a request asks for.
private enum Question {
    case file(String)
    case symbol(String)
    case noExtension(String)
    case services
    case nothing
}

extension ReflectionService {
    /// Answers a request; files that `sent` names are left out where they are not what was asked for.
    ///
    /// - Throws: `Status` INVALID_ARGUMENT where the bytes are no request.
    func answer(_ request: ByteBuffer, _ sent: inout SentFiles) throws(Status) -> ByteBuffer {
        let (host, question) = try Self.read(request)
        var response = WireWriter()
        response.append(1, bytes: host.utf8)
        response.append(2, bytes: request.readableBytesView)
        switch question {
        case .file(let name):
            self.append(self.pool.file(named: name), else: "There is no file \(name) here.", &sent, to: &response)
        case .symbol(let name):
            let file = self.pool.file(containing: name)
            self.append(file, else: "Nothing here is called \(name).", &sent, to: &response)
        case .noExtension(let type):
            // None of the published files extends a message.
            Self.append(.notFound, "There are no extensions of \(type) here.", to: &response)
        case .services:
            var list = WireWriter()
            for name in self.services {
                var service = WireWriter()
                service.append(1, bytes: name.utf8)
                list.append(1, bytes: service.bytes)
            }
            response.append(6, bytes: list.bytes)
        case .nothing:
            Self.append(.invalidArgument, "The request asks for nothing that is known here.", to: &response)
        }
        return ByteBuffer(bytes: response.bytes)
    }

    private static func read(_ request: ByteBuffer) throws(Status) -> (host: String, Question) {
        do {
            return try request.withUnsafeReadableBytes { bytes in
                try Arena.current.decode(Messages.grpcReflectionV1ServerReflectionRequest, from: bytes) { message in
                    (message.pointee.host.string, Question(message.pointee))
                }
            }
        } catch {
            throw .malformed("The request cannot be read: \(error)")
        }
    }

    private func append(
        _ file: ProtoFile?, else problem: String, _ sent: inout SentFiles, to response: inout WireWriter
    ) {
        guard let file else {
            Self.append(.notFound, problem, to: &response)
            return
        }
        var files = WireWriter()
        for file in self.filesToSend(file, &sent) {
            files.append(1, bytes: file.bytes)
        }
        response.append(4, bytes: files.bytes)
    }

    private static func append(_ code: Status.Code, _ sentence: String, to response: inout WireWriter) {
        var error = WireWriter()
        error.append(1, varint: UInt64(code.rawValue))
        error.append(2, bytes: sentence.utf8)
        response.append(7, bytes: error.bytes)
    }

    /// The file that was asked for, sent before or not, and of those that it imports, directly and not, those that were
    /// not.
    private func filesToSend(_ file: ProtoFile, _ sent: inout SentFiles) -> [ProtoFile] {
        sent.insert(file.name)
        var files = [file]
        var index = 0
        while index < files.count {
            for name in files[index].dependencies where sent.insert(name).inserted {
                files += self.pool.file(named: name).map { [$0] } ?? []
            }
            index += 1
        }
        return files
    }
}

extension Question {
    init(_ request: Grpc__Reflection__V1__ServerReflectionRequest) {
        switch request.message_request_case {
        case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
            self = .file(request.file_by_filename.string)
        case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
            self = .symbol(request.file_containing_symbol.string)
        case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
            self = .noExtension(request.file_containing_extension?.pointee.containing_type.string ?? "")
        case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
            self = .noExtension(request.all_extension_numbers_of_type.string)
        case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
            self = .services
        default:
            self = .nothing
        }
    }
}
