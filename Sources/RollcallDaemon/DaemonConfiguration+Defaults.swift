// Where the socket and the store are when nobody says: the service manager's folders, the system's, the user's own.

extension Setting {
    /// The folders that systemd made for the service, which may be several with colons between them.
    static func serviceFolders(_ environment: [String: String]) -> [Setting: String] {
        var values: [Setting: String] = [:]
        if let folder = self.firstFolder(environment["RUNTIME_DIRECTORY"]) {
            values[.socket] = "\(folder)/rollcall.sock"
        }
        values[.data] = self.firstFolder(environment["STATE_DIRECTORY"])
        return values
    }

    /// The last resort. A user without a session has neither, and is then asked for them.
    static func defaults(_ environment: [String: String], userID: UInt32) -> [Setting: String] {
        guard userID != 0 else {
            return [.socket: "/run/rollcall/rollcall.sock", .data: "/var/lib/rollcall"]
        }
        var values: [Setting: String] = [:]
        if let folder = self.absolute(environment["XDG_RUNTIME_DIR"]) {
            values[.socket] = "\(folder)/rollcall/rollcall.sock"
        }
        // The XDG base directory specification has relative paths ignored.
        let home = self.absolute(environment["HOME"])
        if let folder = self.absolute(environment["XDG_STATE_HOME"]) ?? home.map({ "\($0)/.local/state" }) {
            values[.data] = "\(folder)/rollcall"
        }
        return values
    }

    private static func firstFolder(_ list: String?) -> String? {
        list?.split(separator: ":").first.map(String.init)
    }

    private static func absolute(_ path: String?) -> String? {
        path.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}
