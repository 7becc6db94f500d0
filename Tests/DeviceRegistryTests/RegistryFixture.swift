// A registry over a store that fails on command, and calls that wait for their outcome.

import DeviceModel
import DeviceQuery
import DeviceRegistry
import DeviceStore
import FoundationEssentials
import Logging
import RollcallTesting

struct RegistryFixture {
    let store: FailingStore<MemoryStore>
    let clock: ManualClock
    let registry: Registry

    init(
        store: FailingStore<MemoryStore> = FailingStore(MemoryStore()),
        clock: ManualClock = ManualClock(),
        limits: Limits = Limits()
    ) throws {
        self.store = store
        self.clock = clock
        self.registry = try Registry(
            store: store, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { clock.now }, uptimeMicroseconds: { clock.uptimeMicroseconds })
    }

    /// A second registry over the same store, as after a restart.
    func restarted() throws -> RegistryFixture {
        self.registry.close()
        return try RegistryFixture(store: self.store, clock: self.clock, limits: self.registry.limits)
    }

    @discardableResult
    func perform(
        _ mutation: Mutation,
        project: String = "default",
        validateOnly: Bool = false,
        identity: MutationRequest.Identity? = nil
    ) async throws(RegistryError) -> MutationOutcome {
        let request = MutationRequest(
            project: project, mutation: mutation, validateOnly: validateOnly, identity: identity, byteCount: 100)
        let result = await withCheckedContinuation { continuation in
            self.registry.submit(request) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Performs a mutation that answers a device.
    @discardableResult
    func device(
        _ mutation: Mutation, validateOnly: Bool = false, identity: MutationRequest.Identity? = nil
    ) async throws -> Device {
        let outcome = try await self.perform(mutation, validateOnly: validateOnly, identity: identity)
        guard case .device(let device) = outcome else {
            throw UnexpectedOutcome(outcome: outcome)
        }
        return device
    }

    @discardableResult
    func create(
        _ serial: String, ownerRef: String = "owner", hardwareVersion: String = "hw1", cohort: String? = nil
    ) async throws -> Device {
        try await self.device(
            .createDevice(
                DeviceCreation(serial: serial, ownerRef: ownerRef, hardwareVersion: hardwareVersion, cohort: cohort)))
    }

    /// What readers see of a device; nil if they see none.
    func visible(_ serial: String) -> VisibleDevice? {
        var serial = serial
        return serial.withUTF8 { bytes in
            self.registry.read { index in
                guard let project = index.project(slug: "default") else { return nil }
                return index.device(serial: UnsafeRawBufferPointer(bytes), in: project.id).map { VisibleDevice($0) }
            }
        }
    }
}

extension RegistryFixture {
    /// Queues every mutation while a commit is held, so that they form one group; gives each one's refusal.
    func inOneGroup(
        failing fault: FailingStore<MemoryStore>.Fault? = nil, _ mutations: [Mutation]
    ) async throws -> [RegistryError?] {
        self.store.hold()
        async let blocker = self.create("blocker")
        await self.store.heldCommit()
        // The held commit is the one that succeeds.
        if let fault { self.store.fail(fault, after: 1) }
        let (answers, continuation) = AsyncStream.makeStream(of: (Int, RegistryError?).self)
        for (index, mutation) in mutations.enumerated() {
            self.registry.submit(MutationRequest(project: "default", mutation: mutation)) { result in
                guard case .failure(let error) = result else { return _ = continuation.yield((index, nil)) }
                continuation.yield((index, error))
            }
        }
        self.store.release()
        _ = try await blocker
        var refusals = [RegistryError?](repeating: nil, count: mutations.count)
        for await (index, refusal) in answers.prefix(mutations.count) {
            refusals[index] = refusal
        }
        return refusals
    }
}

/// A copy of what the index holds of a device.
struct VisibleDevice: Equatable {
    var id: Int64
    var ownerRef: String
    var hardwareVersion: String
    var cohort: String
    var createdDate: Timestamp
    var updatedDate: Timestamp
    var etagRevision: Int64
    var lastSeen: Timestamp?
    var release: String?
    var attributes: [String: AttributeValue] = [:]

    init(_ device: BorrowedDevice) {
        let record = device.record
        self.id = record.id.rawValue
        self.ownerRef = String(decoding: record.ownerRef, as: UTF8.self)
        self.hardwareVersion = String(decoding: record.hardwareVersion, as: UTF8.self)
        self.cohort = String(decoding: record.cohort.slug, as: UTF8.self)
        self.createdDate = record.createdDate
        self.updatedDate = record.updatedDate
        self.etagRevision = record.etagRevision.rawValue
        self.lastSeen = record.lastSeen
        self.release = record.release.map { String(decoding: $0.version, as: UTF8.self) }
        var attributes: [String: AttributeValue] = [:]
        device.forEachAttribute { key, state in attributes[key.metric.stringKey] = state.value }
        self.attributes = attributes
    }
}

struct UnexpectedOutcome: Error {
    let outcome: MutationOutcome
}

func identity(_ id: UUID, digest: UInt64 = 1, user: UInt32 = 0) -> MutationRequest.Identity {
    MutationRequest.Identity(
        key: RememberedRequest.Key(
            userID: user, project: "default", method: "rollcall.v1.Devices/CreateDevice", requestID: id),
        bodyDigest: digest)
}
