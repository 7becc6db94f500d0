// rollcall.v1.Devices/ImportDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Any number of devices, each of which succeeds or fails alone.
    ///
    /// One task reads and hands chunks to the writer, another one tells of each as it is durable. A chunk is handed over only
    /// while few are on their way, so that the writer sets the pace and the transport holds up the sender.
    var importDevices: Method {
        let name = MethodName.devices("ImportDevices")
        let gate = self.gate(name)
        return Method(
            name,
            .stream(.bidirectional) { context, requests, responses in
                // What comes after a chunk that failed must not be stored: the caller repeats from there.
                let window = ImportWindow(countMax: self.registry.limits.importChunkCountMax) { outcome in
                    if case .failure = outcome { true } else { false }
                }
                var progress = ImportProgress(limits: self.registry.limits)
                do {
                    try await self.answering(
                        requests, read: { await self.read(requests, of: context.peer, gate, into: window) },
                        close: { window.close() }
                    ) {
                        while let (_, outcome) = try await window.next() {
                            for message in progress.messages(of: try outcome.get()) {
                                try await responses.write(message)
                            }
                        }
                        try Task.checkCancellation()
                        try await responses.write(progress.summary)
                    }
                } catch {
                    throw progress.status(endedBy: error)
                }
            }
        )
    }

    private typealias ImportWindow = OutcomeWindow<Result<ImportedChunk, RegistryError>>

    /// Reads every message and hands its items to the writer; an error is told by way of the window, after what came before it.
    private func read(
        _ requests: RequestMessages, of peer: Peer, _ gate: AccessGate, into window: ImportWindow
    ) async {
        var reader = ImportReader(limits: self.registry.limits)
        do {
            for try await bytes in requests {
                let isFirst = reader.settings == nil
                let parts = try bytes.withUnsafeReadableBytes { bytes in
                    try self.decode(Messages.importDevicesRequest, bytes) { message, _ in
                        // The first message names the project for all of them.
                        if isFirst { try gate.admit(peer, message) }
                        return try reader.chunks(message)
                    }
                }
                guard let settings = reader.settings else { continue }
                if isFirst {
                    try self.read(project: settings.project) { _, _ in }
                } else {
                    try Admission(gate: gate, peer: peer, project: settings.project).renew()
                }
                for part in parts {
                    guard let position = await window.begin() else { return }
                    await self.submit(part, settings, position, window)
                }
            }
            window.finish()
        } catch is CancellationError {
            window.close()
        } catch {
            window.finish(Status(reporting: error))
        }
    }

    /// Hands a chunk to the writer; returns when it waits there with the others.
    private func submit(
        _ part: ImportChunk, _ settings: ImportSettings, _ position: Int64, _ window: ImportWindow
    ) async {
        let request = MutationRequest(
            project: settings.project,
            mutation: .importDevices(DeviceImport(mode: settings.mode, items: part.items)),
            validateOnly: settings.validateOnly,
            byteCount: part.byteCount
        )
        await withCheckedContinuation { queued in
            self.registry.submitInTurn(
                request, claim: { window.isOpen }, queued: { queued.resume() },
                completion: { result in
                    window.complete(position, result.map { ImportedChunk($0, part) })
                })
        }
    }
}

// MARK: - From messages to chunks

/// What the first message of an import says.
private struct ImportSettings {
    var project: String
    var mode: ImportMode
    var validateOnly: Bool
}

/// Some items of one message.
private struct ImportChunk {
    var items: [DeviceImport.Item] = []
    /// Items whose fields break their rules, which the writer need not see.
    var refusals: [ImportOutcome.Failure] = []
    var lastPosition: Int64 = 0
    var byteCount = 0
}

/// What became of a chunk's items.
private struct ImportedChunk: Sendable {
    let outcome: ImportOutcome
    /// Those that the writer never saw included, by position.
    let failures: [ImportOutcome.Failure]
    let lastPosition: Int64

    init(_ outcome: MutationOutcome, _ chunk: ImportChunk) {
        guard case .imported(let outcome) = outcome else {
            preconditionFailure("An import answers what became of its items.")
        }
        self.outcome = outcome
        self.failures = (outcome.failures + chunk.refusals).sorted { $0.position < $1.position }
        self.lastPosition = chunk.lastPosition
    }
}

/// Turns messages into chunks, counting the items.
private struct ImportReader {
    private let limits: Limits
    private(set) var settings: ImportSettings?
    private var position: Int64 = 0

    init(limits: Limits) {
        self.limits = limits
    }

    /// - Throws: every bad field of the settings at once.
    mutating func chunks(
        _ message: UnsafePointer<Rollcall__V1__ImportDevicesRequest>
    ) throws(InvalidFields) -> [ImportChunk] {
        if self.settings == nil {
            var check = FieldCheck()
            let settings = ImportSettings(
                project: check.project(message.pointee.project),
                mode: check.importMode(message.pointee.mode),
                validateOnly: message.pointee.validate_only != 0
            )
            try check.finish()
            self.settings = settings
        }
        var chunks: [ImportChunk] = []
        var chunk = ImportChunk()
        for index in 0..<message.pointee.n_items {
            guard let item = message.pointee.items[index] else { continue }
            self.position += 1
            self.add(item, to: &chunk)
            if chunk.items.count + chunk.refusals.count >= self.limits.importChunkItemCountMax
                || chunk.byteCount >= self.limits.importChunkByteCountMax
            {
                chunks.append(chunk)
                chunk = ImportChunk()
            }
        }
        if chunk.lastPosition > 0 { chunks.append(chunk) }
        return chunks
    }

    private func add(_ message: UnsafeMutablePointer<Rollcall__V1__ImportItem>, to chunk: inout ImportChunk) {
        chunk.lastPosition = self.position
        do throws(InvalidFields) {
            let device = try ImportItem(message, limits: self.limits)
            chunk.byteCount += device.byteCount
            chunk.items.append(DeviceImport.Item(position: self.position, device: device))
        } catch {
            chunk.refusals.append(ImportOutcome.Failure(position: self.position, error: RegistryError(error)))
        }
    }
}

extension ImportItem {
    /// - Throws: every bad field at once, by its path within the device.
    fileprivate init(
        _ message: UnsafePointer<Rollcall__V1__ImportItem>, limits: Limits
    ) throws(InvalidFields) {
        var check = FieldCheck()
        guard let device = message.pointee.device?.pointee else { throw InvalidFields("device", "must be given") }
        self.init(
            serial: device.device_serial.string,
            ownerRef: device.owner_ref.string,
            hardwareVersion: device.hardware_version.string,
            createsCohort: message.pointee.create_cohort != 0,
            lastSeen: check.timestamp(device.last_seen, field: "last_seen"),
            attributes: check.importedAttributes(device.attributes, count: device.n_attributes, limits: limits)
        )
        check.serial(self.serial, field: "device_serial")
        if !self.ownerRef.isEmpty { check.ownerRef(self.ownerRef, field: "owner_ref") }
        if !self.hardwareVersion.isEmpty { check.hardwareVersion(self.hardwareVersion, field: "hardware_version") }
        if let slug = device.cohort?.pointee.slug, !slug.bytes.isEmpty {
            let text = slug.string
            check.slug(text, field: "cohort.slug")
            self.cohort = text
        }
        if let release = device.last_seen_release?.pointee {
            let release = Release(id: 0, version: release.version.string, revision: release.revision.string)
            check.releaseVersion(release.version, field: "last_seen_release.version")
            check.releaseRevision(release.revision, field: "last_seen_release.revision")
            if device.last_seen == nil {
                check.refuse("last_seen", "must be given beside last_seen_release")
            }
            self.release = release
        }
        try check.finish()
    }

    /// What the item holds of the writer's queue, in bytes.
    fileprivate var byteCount: Int {
        let texts = self.serial.utf8.count + self.ownerRef.utf8.count + self.hardwareVersion.utf8.count
        let release = self.release.map { $0.version.utf8.count + $0.revision.utf8.count } ?? 0
        return self.attributes.reduce(32 + texts + release + (self.cohort?.utf8.count ?? 0)) { count, update in
            guard case .string(let text) = update.value else { return count + 32 + update.key.utf8.count }
            return count + 32 + update.key.utf8.count + text.utf8.count
        }
    }
}

extension FieldCheck {
    fileprivate mutating func importMode(_ mode: Rollcall__V1__ImportMode) -> ImportMode {
        switch mode {
        case ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_UNSPECIFIED, ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_CREATE:
            return .create
        case ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_UPSERT:
            return .upsert
        default:
            self.refuse("mode", "is \(mode.rawValue), which is not a mode; it takes CREATE (1) or UPSERT (2)")
            return .create
        }
    }
}

// MARK: - From outcomes to messages

/// What an import has come to, and the messages that say so.
private struct ImportProgress {
    private let limits: Limits
    private var acceptedThrough: Int64 = 0
    private var createdCount: Int64 = 0
    private var updatedCount: Int64 = 0
    private var failedCount: Int64 = 0
    /// The first failures, packed, for the summary.
    private var firstFailures = ByteBuffer()
    private var firstFailureCount = 0

    /// Failures go into another message once one has so many bytes, so that none is too long.
    private static let failureByteCountMax = 256 << 10

    init(limits: Limits) {
        self.limits = limits
    }

    /// Takes in a chunk's outcome, and tells of it in one message, or in more where many items failed.
    mutating func messages(of chunk: ImportedChunk) -> [ByteBuffer] {
        self.createdCount += Int64(chunk.outcome.createdCount)
        self.updatedCount += Int64(chunk.outcome.updatedCount)
        self.failedCount += Int64(chunk.failures.count)
        var messages: [ByteBuffer] = []
        var failures = ByteBuffer()
        for failure in chunk.failures {
            let packed = ByteBuffer(failure)
            failures.writeImmutableBuffer(packed)
            self.keep(packed)
            guard failures.readableBytes >= Self.failureByteCountMax else { continue }
            self.acceptedThrough = failure.position
            messages.append(self.message(failures))
            failures.clear()
        }
        self.acceptedThrough = chunk.lastPosition
        messages.append(self.message(failures))
        return messages
    }

    /// Keeps a failure for the summary, while there is room and none before it found too little.
    private mutating func keep(_ failure: ByteBuffer) {
        let byteCount = self.firstFailures.readableBytes + failure.readableBytes
        guard self.firstFailureCount < self.limits.importSummaryFailureCountMax else { return }
        guard byteCount <= self.limits.importSummaryByteCountMax else {
            self.firstFailureCount = self.limits.importSummaryFailureCountMax
            return
        }
        self.firstFailureCount += 1
        self.firstFailures.writeImmutableBuffer(failure)
    }

    /// The last message.
    var summary: ByteBuffer { self.message(self.firstFailures, isSummary: true) }

    private func message(_ failures: ByteBuffer, isSummary: Bool = false) -> ByteBuffer {
        var buffer = ByteBuffer()
        Arena.current.scope { arena in
            let message = arena.make(Messages.importDevicesResponse)
            message.pointee.accepted_through = self.acceptedThrough
            message.pointee.created = self.createdCount
            message.pointee.updated = self.updatedCount
            message.pointee.failed = self.failedCount
            message.pointee.done = isSummary ? 1 : 0
            buffer.append(message)
        }
        buffer.writeImmutableBuffer(failures)
        return buffer
    }

    /// The status of a call that ends early, which says up to where the caller need not repeat it.
    func status(endedBy error: any Error) -> Status {
        var status =
            error is CancellationError ? Status.cancelled("The import was given up.") : Status(reporting: error)
        let through =
            self.acceptedThrough == 0
            ? "No item was dealt with."
            : "Items 1 to \(self.acceptedThrough) are dealt with, and durable where they did not fail."
        status.message += (status.message.hasSuffix(".") ? " " : ". ") + through
        return status
    }
}

extension ByteBuffer {
    /// Packs an ImportFailure as a value of ImportDevicesResponse's field 5.
    fileprivate init(_ failure: ImportOutcome.Failure) {
        var element = WireWriter()
        element.append(5, bytes: WireWriter(refusalAt: failure.position, Status(failure.error)).bytes)
        self.init(bytes: element.bytes)
    }
}
