// What a running server says of itself.

/// Version, store, limits and memory of a server, how its store does, and who it takes its caller for.
public struct ServerInfo: Hashable, Sendable {
    /// A process at the other end of a connection, by the kernel's word, and what it may do.
    public struct Caller: Hashable, Sendable {
        public var userID: UInt32
        public var groupID: UInt32
        /// 0 where the server cannot see it.
        public var processID: Int32
        /// Its supplementary groups.
        public var groupIDs: [UInt32]
        /// What it may do: first in every project, then in single ones by slug.
        public var roles: [GrantedRoles]

        public init(
            userID: UInt32, groupID: UInt32, processID: Int32, groupIDs: [UInt32] = [], roles: [GrantedRoles] = []
        ) {
            self.userID = userID
            self.groupID = groupID
            self.processID = processID
            self.groupIDs = groupIDs
            self.roles = roles
        }
    }

    /// The roles of a caller in one project, or in every one.
    public struct GrantedRoles: Hashable, Sendable {
        /// Slug of the project, which need not exist; nil = every project.
        public var project: String?
        /// Such as `writer`; those that another one includes are left out.
        public var roles: [String]

        public init(project: String?, roles: [String]) {
            self.project = project
            self.roles = roles
        }
    }

    /// A bound that the server enforces.
    public struct Limit: Hashable, Sendable {
        public var name: String
        public var value: Int64
        /// What `value` counts, such as `bytes`.
        public var unit: String

        public init(name: String, value: Int64, unit: String) {
            self.name = name
            self.value = value
            self.unit = unit
        }
    }

    /// What one part of the index takes in memory, over all projects.
    public struct MemoryFigure: Hashable, Sendable {
        public var name: String
        /// Room kept for growth is left out.
        public var byteCount: Int64

        public init(name: String, byteCount: Int64) {
            self.name = name
            self.byteCount = byteCount
        }
    }

    /// How the store takes changes. Reads are answered in every state.
    public enum StoreState: Hashable, Sendable {
        case ready
        /// It is being looked through after a stop that was not clean; changes wait.
        case checking
        /// The last change was refused; the next one is tried.
        case failing(reason: String)
        /// Changes are refused until the server is started anew.
        case closed(reason: String)
    }

    public var version: String
    /// A UUID, lower case: names the history that revisions and page tokens belong to.
    public var storeID: String
    /// The newest change's; 0 before the first.
    public var revision: Int64
    /// Since the server began to serve.
    public var uptime: Duration
    public var caller: Caller
    public var limits: [Limit]
    public var memory: [MemoryFigure]
    public var store: StoreState

    public init(
        version: String,
        storeID: String,
        revision: Int64,
        uptime: Duration,
        caller: Caller,
        limits: [Limit],
        memory: [MemoryFigure],
        store: StoreState = .ready
    ) {
        self.version = version
        self.storeID = storeID
        self.revision = revision
        self.uptime = uptime
        self.caller = caller
        self.limits = limits
        self.memory = memory
        self.store = store
    }
}
