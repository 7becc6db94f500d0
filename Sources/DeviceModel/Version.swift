// Which Rollcall this is.

/// The version that the daemon and the client report, as in semantic versioning.
public enum RollcallVersion {
    public static let current = "0.1.0"
}
