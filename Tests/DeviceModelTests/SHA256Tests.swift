import DeviceModel
import Testing

@Suite struct SHA256Tests {
    private func hexadecimal(_ digest: SHA256) -> String {
        digest.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // NIST's examples for FIPS 180-4, and from its vectors for messages of bytes (SHA256ShortMsg).
    @Test(
        arguments: [
            ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ([0xD3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
            (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ] as [([UInt8], String)])
    func publishedVectorsComeOut(message: [UInt8], expected: String) {
        var digest = SHA256()
        digest.update(message)
        #expect(self.hexadecimal(digest) == expected)
    }

    @Test func aMillionLettersComeOut() {
        var digest = SHA256()
        let part = [UInt8](repeating: UInt8(ascii: "a"), count: 10_000)
        for _ in 0..<100 { digest.update(part) }
        #expect(self.hexadecimal(digest) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// Around the ends of one block and two, where the padding takes a block more or does not.
    @Test func howTheBytesAreCutMakesNoDifference() {
        for count in 0...200 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
            var whole = SHA256()
            whole.update(bytes)
            var dripped = SHA256()
            for byte in bytes { dripped.update([byte]) }
            #expect(dripped.digest == whole.digest, "\(count) bytes, one by one")
            for cut in stride(from: 0, through: count, by: 7) {
                var cutOnce = SHA256()
                cutOnce.update(bytes[..<cut])
                // To ask for a digest on the way changes nothing.
                _ = cutOnce.digest
                cutOnce.update(bytes[cut...])
                #expect(cutOnce.digest == whole.digest, "\(count) bytes, cut at \(cut)")
            }
        }
    }
}
