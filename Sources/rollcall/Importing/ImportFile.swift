// The devices of a file that is imported, one after another.

internal import DeviceText
internal import Glibc
internal import RollcallClient
internal import Synchronization

/// A file's devices as a sequence. It is read as they are asked for, and holds no more than a piece of it; what cannot be read goes
/// to the ledger.
///
/// ## Concurrency
/// One task reads the header, then one task iterates, once.
final class ImportFile: AsyncSequence, Sendable {
    typealias Element = ImportItem
    typealias Failure = any Error

    private struct State {
        var rows: DeviceRows
        /// Read with the header, and not given out yet.
        var first: DeviceRow?
        var isFinished = false
    }

    private let descriptor: Int32
    /// Nil where nobody can tell.
    let byteCount: Int?
    private let createsCohorts: Bool
    private let skippedLineCount: Int
    private let ledger: ImportLedger
    private let state: Mutex<State>

    /// - Parameter path: `-` for standard input.
    /// - Throws: ``InputError`` where the file cannot be opened.
    init(
        _ path: String, mode: ImportMode, createsCohorts: Bool, skippedLineCount: Int, _ ledger: ImportLedger
    ) throws(InputError) {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw InputError("\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        self.descriptor = descriptor
        self.byteCount = isFile ? Int(status.st_size) : nil
        self.createsCohorts = createsCohorts
        self.skippedLineCount = skippedLineCount
        self.ledger = ledger
        self.state = Mutex(State(rows: DeviceRows(mode: mode)))
    }

    deinit {
        if self.descriptor != STDIN_FILENO { close(self.descriptor) }
    }

    /// Reads as far as the first device.
    ///
    /// - Throws: ``InputError`` where the header is not right, or the file cannot be read.
    func readHeader() async throws {
        do {
            let first = try await self.nextRow()
            self.state.withLock { $0.first = first }
        } catch let error as DeviceFileError {
            throw InputError(error.description)
        }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let file: ImportFile

        mutating func next() async throws -> ImportItem? {
            try await self.file.nextItem()
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(file: self)
    }

    /// The next device that is to be sent.
    private func nextItem() async throws -> ImportItem? {
        while !Interruption.hasCome {
            let row: DeviceRow?
            do {
                row = try await self.nextRow()
            } catch let error as DeviceFileError {
                // What was read before is good, and is seen through.
                self.ledger.fileFailed(error.description)
                return nil
            }
            guard let row else {
                if !Interruption.hasCome { self.ledger.reachedEnd(skippedLineCount: self.skippedLineCount) }
                return nil
            }
            guard row.line > self.skippedLineCount else {
                self.ledger.skipped(line: row.line)
                continue
            }
            switch row.item {
            case .success(var item):
                item.createsCohort = self.createsCohorts
                self.ledger.sent(line: row.line, serial: row.serial)
                return item
            case .failure(let fault):
                try self.ledger.failed(line: row.line, serial: row.serial, reason: fault.reason)
            }
        }
        return nil
    }

    private func nextRow() async throws -> DeviceRow? {
        while true {
            let (row, isFinished) = try self.state.withLock { (state: inout State) throws -> (DeviceRow?, Bool) in
                if let first = state.first.take() { return (first, false) }
                return (try state.rows.next(), state.isFinished)
            }
            if let row { return row }
            if isFinished || Interruption.hasCome { return nil }
            guard let bytes = try await StandardInput.readIfReady(self.descriptor) else {
                try Task.checkCancellation()
                continue
            }
            self.state.withLock { state in
                if bytes.isEmpty {
                    state.rows.finish()
                    state.isFinished = true
                } else {
                    state.rows.append(bytes)
                }
            }
            self.ledger.read(byteCount: bytes.count)
        }
    }
}
