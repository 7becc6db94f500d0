// The JSON file: one object whose keys are settings, and no others.

internal import Configuration
internal import DeviceModel
internal import FoundationEssentials

/// Reads the configuration file.
enum ConfigurationFile {
    /// A key's value, of which only the presence matters here.
    private struct AnyValue: Decodable {
        init(from decoder: any Decoder) {}
    }

    /// The settings that the file at `path` holds.
    ///
    /// - Throws: ``DaemonError`` with `configuration`: no such file, not a JSON object, an unknown key.
    static func provider(path: String) async throws(DaemonError) -> FileProvider<JSONSnapshot> {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw DaemonError(
                .configuration, "The configuration file \(path) cannot be read: \(Self.reason(for: error))."
            )
        }
        // A provider answers questions but does not list what it holds, so the keys are read apart from it.
        let keys: Dictionary<String, AnyValue>.Keys
        do {
            keys = try JSONDecoder().decode([String: AnyValue].self, from: bytes).keys
        } catch {
            throw DaemonError(.configuration, "The configuration file \(path) is not a JSON object of settings.")
        }
        if let unknown = keys.filter({ Setting(rawValue: $0) == nil }).min() {
            let nearest = unknown.nearest(of: Setting.allCases.map(\.rawValue))?.name ?? ""
            throw DaemonError(
                .configuration,
                "The configuration file \(path) has an unknown key \"\(unknown)\"; the nearest known one is \"\(nearest)\"."
            )
        }
        do {
            let location = InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)])
            return try await FileProvider<JSONSnapshot>(config: ConfigReader(provider: location))
        } catch {
            throw DaemonError(.configuration, "The configuration file \(path) cannot be used: \(error).")
        }
    }

    private static func reason(for error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile: "there is no such file"
        case .fileReadNoPermission: "permission denied"
        default: "\(error)"
        }
    }
}
