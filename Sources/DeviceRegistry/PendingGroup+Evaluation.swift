// From a request to its outcome within a group, repeats of a named request included.

internal import DeviceModel
internal import DeviceQuery

extension PendingGroup {
    /// Carries a request out within the group, or refuses it and leaves the group as it was.
    mutating func evaluate(
        _ request: MutationRequest, _ index: borrowing RegistryIndex, _ memory: RequestMemory
    ) throws(RegistryError) -> MutationOutcome {
        if let identity = request.identity, let first = self.findRequest(identity.key, memory) {
            guard first.bodyDigest == identity.bodyDigest else {
                throw RegistryError(
                    InvalidFields("request_id", "was used for another request before; use a new UUID"),
                    reason: .requestIDReused)
            }
            return try self.repeated(request, first, index)
        }
        let (outcome, subject) = try self.perform(request, index)
        if let identity = request.identity, !request.validateOnly {
            self.remember(identity, subject: subject)
        }
        return outcome
    }

    private mutating func perform(
        _ request: MutationRequest, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (MutationOutcome, subject: Int64) {
        let validateOnly = request.validateOnly
        if case .createProject(let name) = request.mutation {
            let project = try self.createProject(
                slug: request.project, name: name, validateOnly: validateOnly, index)
            return (.project(project), project.id)
        }
        if case .deleteProject(let allowMissing) = request.mutation {
            let id = try self.deleteProject(
                request.project, allowMissing: allowMissing, validateOnly: validateOnly, index)
            return (.deleted, id.rawValue)
        }
        let project = try self.project(request.project, index)
        switch request.mutation {
        case .createDevice(let creation):
            let (device, id) = try self.create(creation, in: project, validateOnly: validateOnly, index)
            return (.device(device), id.rawValue)
        case .updateDevice(let update):
            let (device, id) = try self.update(update, in: project, validateOnly: validateOnly, index)
            return (.device(device), id.rawValue)
        case .deleteDevice(let deletion):
            let id = try self.delete(deletion, in: project, validateOnly: validateOnly, index)
            return (.deleted, id.rawValue)
        case .checkIn(let checkIn):
            let (device, id) = try self.checkIn(checkIn, in: project, index)
            return (.device(device), id.rawValue)
        case .updateAttributes(let update):
            let (outcome, id) = try self.updateAttributes(update, in: project, index)
            return (outcome, id.rawValue)
        case .importDevices(let devices):
            let outcome = self.importDevices(devices, in: project, validateOnly: validateOnly, index)
            return (.imported(outcome), 0)
        case .createDevices(let batch):
            let devices = try self.carryOut(batch, in: project, validateOnly: validateOnly, index)
            return (.devices(devices), self.marks.device.rawValue)
        case .updateDevices(let batch):
            let devices = try self.carryOut(batch, in: project, validateOnly: validateOnly, index)
            return (.devices(devices), self.marks.device.rawValue)
        case .deleteDevices(let batch):
            _ = try self.carryOut(batch, in: project, validateOnly: validateOnly, index)
            return (.deleted, self.marks.device.rawValue)
        case .purgeDevices(_, let step):
            let count = self.carryOut(step, in: project.id, index)
            return (.purged(count, isRepeat: false), count)
        case .createProject, .deleteProject:
            preconditionFailure("What is done to a project itself is done above: there may be none to look up.")
        case .createCohort(let slug, let name):
            let cohort = try self.createCohort(
                slug: slug, name: name, in: project, validateOnly: validateOnly, index)
            return (.cohort(cohort), cohort.id)
        case .renameCohort(let slug, let name):
            let cohort = try self.renameCohort(
                slug: slug, to: name, in: project, validateOnly: validateOnly, index)
            return (.cohort(cohort), cohort.id)
        case .deleteCohort(let slug, let allowMissing):
            let id = try self.deleteCohort(
                slug: slug, in: project, allowMissing: allowMissing, validateOnly: validateOnly, index)
            return (.deleted, id.rawValue)
        }
    }

    /// The first outcome of a named request, with its resource as it is now.
    private mutating func repeated(
        _ request: MutationRequest, _ first: RequestMemory.Entry, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> MutationOutcome {
        switch request.mutation {
        case .deleteDevice, .deleteDevices, .deleteProject, .deleteCohort:
            return .deleted
        case .createDevices(let batch):
            return .devices(
                try self.devices(of: batch, upTo: DeviceID(rawValue: first.subject), in: request.project, index))
        case .updateDevices(let batch):
            return .devices(
                try self.devices(of: batch, upTo: DeviceID(rawValue: first.subject), in: request.project, index))
        case .purgeDevices:
            return .purged(first.subject, isRepeat: true)
        case .createProject:
            return .project(Project(try self.project(request.project, index)))
        case .createCohort(let slug, _), .renameCohort(let slug, _):
            let project = try self.project(request.project, index)
            let cohort = try self.cohort(slug, in: project, index)
            let count = self.deviceCount(inCohort: cohort.id, project: project.id, index)
            return .cohort(Cohort(cohort, deviceCount: count))
        case .importDevices:
            preconditionFailure("An import has no request id: it is repeated item by item.")
        case .createDevice, .updateDevice, .checkIn, .updateAttributes:
            let project = try self.project(request.project, index)
            guard let device = self.findDevice(DeviceID(rawValue: first.subject), in: project.id, index) else {
                throw RegistryError(
                    .notFound, .deviceNotFound,
                    "The request was carried out before, but its device has since been deleted.")
            }
            if case .updateAttributes = request.mutation {
                return self.attributesOutcome(of: device, in: project.id, index)
            }
            return .device(self.snapshot(device, in: project.id, index))
        }
    }
}
