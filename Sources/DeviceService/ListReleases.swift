// rollcall.v1.Projects/ListReleases

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of a project's releases, by id.
    var listReleases: Method {
        self.listing(
            .projects("ListReleases"), Messages.listReleasesRequest, Messages.listReleasesResponse,
            count: { index, project in index.releaseCount(in: project) },
            items: { index, project, after, limit in index.releases(in: project, after: after, limit: limit) },
            place: { $0.record.id },
            message: { arena, release in arena.message(Release(release.record, deviceCount: release.deviceCount)) }
        )
    }
}
