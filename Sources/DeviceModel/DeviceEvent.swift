// What a watch tells.

/// One thing that a watch of the devices that match tells.
public enum DeviceEvent: Hashable, Sendable {
    /// Devices that match at the beginning, which was at this revision; changes that they do not show yet follow.
    case snapshot([Device], revision: Int64)
    /// It matches now and did not before.
    case entered(Device, revision: Int64)
    /// It matches as before.
    case changed(Device, revision: Int64)
    /// It does not match any more, or is deleted: as it is now, or as it was last.
    case left(Device, revision: Int64)
    /// Everything through this revision has been told: a watch can go on from here.
    case bookmark(Bookmark)
}
