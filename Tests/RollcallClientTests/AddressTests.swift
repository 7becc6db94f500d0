import RollcallClient
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("unix:///run/r.sock", "/run/r.sock"), ("unix:/run/r.sock", "/run/r.sock"), ("unix:r.sock", "r.sock"),
        ("/run/r.sock", "/run/r.sock"), ("./r.sock", "./r.sock"), ("r.sock", "r.sock"),
    ])
    func addressIsAPathWithOrWithoutScheme(text: String, path: String) throws {
        let address = try ServerAddress(text)
        #expect(address.path == path)
        #expect(try ServerAddress(address.description) == address)
    }

    @Test(arguments: ["", "unix:", "unix://", "unix://host/path", "http://host", "tcp://1.2.3.4:5", "a\0b"])
    func anythingElseIsRefused(text: String) {
        let error = #expect(throws: RollcallError.self) { try ServerAddress(text) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func environmentComesBeforeTheUsersSocketAndThatBeforeTheSystems() throws {
        func paths(_ environment: [String: String], isRoot: Bool = false) throws -> [String] {
            try ServerAddress.candidates(environment: environment, isRoot: isRoot).map(\.path)
        }
        let runtime = ["XDG_RUNTIME_DIR": "/run/user/7"]
        #expect(try paths(runtime) == ["/run/user/7/rollcall/rollcall.sock", "/run/rollcall/rollcall.sock"])
        #expect(try paths(runtime, isRoot: true) == ["/run/rollcall/rollcall.sock"])
        #expect(try paths([:]) == ["/run/rollcall/rollcall.sock"])
        #expect(try paths(["XDG_RUNTIME_DIR": "relative"]) == ["/run/rollcall/rollcall.sock"])
        #expect(try paths(["ROLLCALL_ADDRESS": "unix:///x"].merging(runtime) { $1 }) == ["/x"])
        #expect(try paths(["ROLLCALL_ADDRESS": ""].merging(runtime) { $1 }).count == 2)
        #expect(throws: RollcallError.self) { try paths(["ROLLCALL_ADDRESS": "http://x"]) }
    }
}
