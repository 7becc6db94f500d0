// From flags, environment and file to the configuration, with the first source that speaks winning.

package import Access
internal import Configuration
internal import DeviceModel
internal import Logging
internal import NIOCore
internal import Synchronization

extension DaemonConfiguration {
    /// Reads every setting: flags, then `ROLLCALL_` variables, then the JSON file, then the socket that the service
    /// manager passes and its folders, then the defaults of the user.
    ///
    /// - Parameter names: looks up the users and groups of access rules.
    /// - Throws: ``DaemonError`` with `configuration`: a value that does not fit, with its source; a file that
    /// cannot be read; a key that no setting has, with the nearest one that does.
    package static func read(
        flags: DaemonFlags,
        environment: [String: String],
        userID: UInt32,
        names: AccountNames = .system,
        serviceManager: ServiceManager = .absent
    ) async throws(DaemonError) -> DaemonConfiguration {
        try DaemonConfiguration(await Self.reader(flags, environment, userID, serviceManager), names)
    }

    /// Reads where the store is, and nothing else, from the same sources.
    ///
    /// - Throws: as ``read(flags:environment:userID:)`` does.
    package static func readDataFolder(
        flags: DaemonFlags,
        environment: [String: String],
        userID: UInt32
    ) async throws(DaemonError) -> String {
        try await Self.reader(flags, environment, userID, .absent).dataFolder()
    }

    private static func reader(
        _ flags: DaemonFlags, _ environment: [String: String], _ userID: UInt32, _ serviceManager: ServiceManager
    ) async throws(DaemonError) -> SettingReader {
        var sources: [SettingReader.Source] = [
            .init(.flags, flags.provider),
            .init(
                .environment,
                EnvironmentVariablesProvider(environmentVariables: environment, arraySeparator: ";")
                    .prefixKeys(with: "rollcall")
            ),
        ]
        if let path = flags.config ?? environment["ROLLCALL_CONFIG"] {
            sources.append(.init(.file(path), try await ConfigurationFile.provider(path: path)))
        }
        if let socket = serviceManager.socket, !socket.isStored {
            sources.append(.init(.passedSocket, InMemoryProvider([.socket: .string(socket.path)])))
        }
        let serviceFolders = Setting.serviceFolders(environment)
        sources.append(.init(.serviceFolders, InMemoryProvider(serviceFolders.mapValues { .string($0) })))
        let defaults = Setting.defaults(environment, userID: userID)
        sources.append(.init(.defaults, InMemoryProvider(defaults.mapValues { .string($0) })))
        return SettingReader(sources)
    }

    private init(_ reader: SettingReader, _ names: AccountNames) throws(DaemonError) {
        self.init(
            socketPath: try reader.required(.socket) { (1...Limits.socketPathByteCountMax).contains($0.utf8.count) },
            dataFolder: try reader.dataFolder(),
            eventLoopCount: try reader.number(.eventLoops) ?? System.coreCount
        )
        if let mode = try reader.text(.socketMode, { Self.mode($0) }) {
            self.socketMode = mode
        }
        self.socketGroup = try reader.text(.socketGroup) { $0.isEmpty ? nil : $0 }
        self.access = try reader.rules(.access, names)
        if let level = try reader.text(.logLevel, { Logger.Level(rawValue: $0.lowercased()) }) {
            self.logLevel = level
        }
        self.drainSeconds = try reader.number(.drainSeconds) ?? self.drainSeconds
        self.clockSkewSeconds = try reader.number(.clockSkewSeconds) ?? self.clockSkewSeconds
        self.metricsFile = try reader.text(.metricsFile) { $0.isEmpty || $0.hasSuffix("/") ? nil : $0 }
    }

    private static func mode(_ text: String) -> UInt32? {
        guard (3...4).contains(text.utf8.count), let mode = UInt32(text, radix: 8), mode <= 0o777 else {
            return nil
        }
        return mode
    }
}

/// Looks settings up through the sources, and knows which of them answered.
private struct SettingReader {
    /// Where a value may come from.
    enum Origin {
        case flags
        case environment
        case file(String)
        case passedSocket
        case serviceFolders
        case defaults

        /// How the operator wrote the setting there.
        func name(of setting: Setting) -> String {
            switch self {
            case .flags: setting.flag
            case .environment: setting.variable
            case .file(let path): "\"\(setting.rawValue)\" in \(path)"
            case .passedSocket: "The path of the socket that the service manager passes"
            case .serviceFolders: setting == .socket ? "The socket in RUNTIME_DIRECTORY" : "STATE_DIRECTORY"
            case .defaults: setting == .socket ? "The default socket's path" : "The default folder of the store"
            }
        }
    }

    struct Source {
        let origin: Origin
        let provider: any ConfigProvider

        init(_ origin: Origin, _ provider: any ConfigProvider) {
            self.origin = origin
            self.provider = provider
        }
    }

    /// Keeps the last look-up, because a reader tells the values but neither their source nor what is wrong with them.
    private final class LastAccess: AccessReporter {
        private let event = Mutex<AccessEvent?>(nil)

        func report(_ event: AccessEvent) {
            self.event.withLock { $0 = event }
        }

        func take() -> AccessEvent? {
            self.event.withLock { $0.take() }
        }
    }

    private let origins: [Origin]
    private let config: ConfigReader
    private let lastAccess: LastAccess

    init(_ sources: [Source]) {
        let lastAccess = LastAccess()
        self.origins = sources.map(\.origin)
        self.config = ConfigReader(providers: sources.map(\.provider), accessReporter: lastAccess)
        self.lastAccess = lastAccess
    }

    /// A text that `parse` makes something of; nil where no source has one.
    func text<Value>(_ setting: Setting, _ parse: (String) -> Value?) throws(DaemonError) -> Value? {
        guard let text = self.config.string(forKey: setting.configKey) else {
            try self.refuseFailedAccess(to: setting)
            return nil
        }
        guard let value = parse(text) else {
            throw self.unfit(setting, found: "\"\(text)\"")
        }
        return value
    }

    func dataFolder() throws(DaemonError) -> String {
        try self.required(.data) { !$0.isEmpty }
    }

    /// A text that some source must have.
    func required(_ setting: Setting, _ isFit: (String) -> Bool) throws(DaemonError) -> String {
        guard let text = try self.text(setting, { isFit($0) ? $0 : nil }) else {
            throw DaemonError(
                .configuration,
                "Nothing says where the \(setting == .socket ? "socket" : "store") is: give \(setting.flag) or \(setting.variable)."
            )
        }
        return text
    }

    /// Access rules; nil where no source has any, not even none.
    func rules(_ setting: Setting, _ names: AccountNames) throws(DaemonError) -> [AccessRule]? {
        guard let texts = self.config.stringArray(forKey: setting.configKey) else {
            try self.refuseFailedAccess(to: setting)
            return nil
        }
        guard texts.count <= Limits.accessRuleCountMax else {
            throw self.unfit(setting, found: "\(texts.count)")
        }
        let origin = self.lastAccess.take().map { self.origin(of: $0).name(of: setting) } ?? setting.rawValue
        var rules: [AccessRule] = []
        for text in texts {
            do throws(AccessRuleError) {
                rules.append(try AccessRule(text, names: names))
            } catch {
                throw DaemonError(.configuration, "\(origin): \(error)")
            }
        }
        return rules
    }

    /// A whole number in the setting's range; nil where no source has one.
    func number(_ setting: Setting) throws(DaemonError) -> Int? {
        guard let number = self.config.int(forKey: setting.configKey) else {
            try self.refuseFailedAccess(to: setting)
            return nil
        }
        guard setting.range?.contains(number) ?? true else {
            throw self.unfit(setting, found: "\(number)")
        }
        return number
    }

    /// A reader answers nil for a value of another type, too; only the event tells that from none at all.
    private func refuseFailedAccess(to setting: Setting) throws(DaemonError) {
        guard let event = self.lastAccess.take(), case .failure = event.providerResults.last?.result else {
            return
        }
        throw DaemonError(
            .configuration, "\(self.origin(of: event).name(of: setting)) must be \(setting.requirement)."
        )
    }

    private func unfit(_ setting: Setting, found: String) -> DaemonError {
        let name = self.lastAccess.take().map { self.origin(of: $0).name(of: setting) } ?? setting.rawValue
        return DaemonError(.configuration, "\(name) must be \(setting.requirement), not \(found).")
    }

    /// Look-ups stop at the first source that answers, well or badly, so it is the last one asked.
    private func origin(of event: AccessEvent) -> Origin {
        self.origins[max(0, event.providerResults.count - 1)]
    }
}

extension Setting {
    fileprivate var configKey: ConfigKey {
        ConfigKey([self.rawValue])
    }
}

extension InMemoryProvider {
    fileprivate init(_ values: [Setting: ConfigValue]) {
        self.init(
            values: Dictionary(uniqueKeysWithValues: values.map { (AbsoluteConfigKey([$0.rawValue]), $1) })
        )
    }
}

extension ConfigValue {
    fileprivate static func string(_ text: String) -> ConfigValue {
        ConfigValue(.string(text), isSecret: false)
    }
}

extension DaemonFlags {
    fileprivate var provider: InMemoryProvider {
        let texts: [Setting: String?] = [
            .socket: self.socket, .socketMode: self.socketMode, .socketGroup: self.socketGroup, .data: self.data,
            .logLevel: self.logLevel, .metricsFile: self.metricsFile,
        ]
        let numbers: [Setting: Int?] = [
            .drainSeconds: self.drainSeconds, .eventLoops: self.eventLoops, .clockSkewSeconds: self.clockSkewSeconds,
        ]
        let lists: [Setting: [String]?] = [.access: self.access]
        let values = texts.compactMapValues { $0.map { ConfigValue.string($0) } }
        return InMemoryProvider(
            values
                .merging(numbers.compactMapValues { $0.map { ConfigValue(.int($0), isSecret: false) } }) { $1 }
                .merging(lists.compactMapValues { $0.map { ConfigValue(.stringArray($0), isSecret: false) } }) { $1 }
        )
    }
}
