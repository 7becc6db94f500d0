// Feeds one target with what libFuzzer makes up; tools/fuzz builds this and runs it.

internal import CLibFuzzer
internal import Foundation
internal import FuzzTargets

@main struct FuzzDriver {
    private static let usage = """
        usage: FuzzDriver list
               FuzzDriver seeds FOLDER
               ROLLCALL_FUZZ=NAME FuzzDriver words
               ROLLCALL_FUZZ=NAME FuzzDriver [OPTION OF libFuzzer]... [FILE OR FOLDER]...
        """

    static func main() throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "list":
            for target in FuzzTarget.all { self.show("\(target.name)\t\(target.byteCountMax)\t\(target.summary)\n") }
        case "seeds" where arguments.count == 3:
            for target in FuzzTarget.all { try self.writeSeeds(of: target, below: URL(filePath: arguments[2])) }
        case "words":
            for word in self.target.words {
                let escaped = word.utf8.map { "\\x" + String(Int($0) + 0x100, radix: 16).suffix(2) }.joined()
                self.show("\"\(escaped)\"\n")
            }
        default:
            self.fuzz()
        }
    }

    /// The one that the environment names: libFuzzer starts this program anew now and then, with arguments of its own alone.
    private static let target: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["ROLLCALL_FUZZ"]
        guard let target = FuzzTarget.all.first(where: { $0.name == name }) else { fatalError(Self.usage) }
        return target
    }()

    private static func fuzz() {
        _ = self.target
        var count = CommandLine.argc
        var arguments = Optional(CommandLine.unsafeArgv)
        exit(LLVMFuzzerRunDriver(&count, &arguments, testOneInput))
    }

    private static let executor = CallerExecutor()

    /// libFuzzer takes the end of the process for a finding.
    fileprivate static func feed(_ input: [UInt8]) {
        self.executor.run {
            do {
                try await self.target.feed(input)
            } catch {
                fatalError("\(error)")
            }
        }
    }

    private static func writeSeeds(of target: FuzzTarget, below folder: URL) throws {
        let folder = folder.appending(path: target.name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for seed in try target.seeds() { try Data(seed.bytes).write(to: folder.appending(path: "seed-\(seed.name)")) }
    }

    private static func show(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

/// Public, for libFuzzer's own main function, which is linked and not used, asks for it by its name in C.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzDriver.feed(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}
