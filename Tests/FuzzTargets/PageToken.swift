// The page token that a caller hands back.

internal import DeviceModel
internal import DeviceQuery
internal import RollcallTesting

extension FuzzTarget {
    /// A token is refused, or names a place from which the list goes on in its order.
    ///
    /// The first byte chooses the list. The second decides whether the rest is the text of a token or what a token holds from its
    /// time on, which is then sealed as a token is.
    static let pageToken = FuzzTarget(
        "page-token", "a page token, as text and sealed anew", byteCountMax: 512,
        seeds: { try TokenReading.seeds },
        feed: { bytes in
            var input = FuzzInput(bytes)
            let list = input.element(of: TokenReading.lists)
            let isText = input.byte() & 1 == 0
            let text = isText ? String(decoding: input.rest, as: UTF8.self) : try TokenReading.sealed(input.rest, list)
            try TokenReading.check(text, list)
        })
}

private enum TokenReading {
    /// One list by each key, and some by several.
    static let lists: [ListQuery] = {
        let attributes = FuzzFleet.shared.attributeKeys.map {
            SortKey.Field.attribute(CustomMetric.folded($0.metric.stringKey))
        }
        let sorts = [[]] + (SortKey.Field.columns + attributes).map { [SortKey($0)] }
        let several = [
            [SortKey(.release, isDescending: true), SortKey(.lastSeen)], [SortKey(.cohort), SortKey(.ownerRef)],
            [SortKey(.hardwareVersion), SortKey(.id, isDescending: true)],
        ]
        return (sorts + several).map { sort in
            var query = ListQuery()
            query.sort = sort
            query.pageSize = 7
            return query
        }
    }()

    /// The version and the list's fingerprint, which a token of another list would be refused for.
    private static let headByteCount = 1 + 8
    private static let checksumByteCount = 8
    /// `rollcall`, which sets the checksum of a token apart from other hashes.
    private static let checksumSeed: UInt64 = 0x726F_6C6C_6361_6C6C

    static var seeds: [FuzzSeed] {
        get throws {
            try Self.lists.enumerated().flatMap { index, list in
                let token = try FuzzFleet.shared.page(list).page.nextPageToken
                let body = try Self.bytes(of: token).dropFirst(Self.headByteCount).dropLast(Self.checksumByteCount)
                guard try Self.sealed(body, list) == token else {
                    throw FuzzFinding("What \(token) holds is sealed as another token.")
                }
                return [
                    FuzzSeed("text-\(index)", [UInt8(index), 0] + token.utf8),
                    FuzzSeed("sealed-\(index)", [UInt8(index), 1] + body),
                ]
            }
        }
    }

    /// A token of the list that holds `body`, its checksum right.
    static func sealed(_ body: ArraySlice<UInt8>, _ list: ListQuery) throws -> String {
        let token = try Self.bytes(of: try FuzzFleet.shared.page(list).page.nextPageToken)
        var bytes = Array(token.prefix(Self.headByteCount) + body)
        let checksum = bytes.withUnsafeBytes { StableHash.hash($0, seed: Self.checksumSeed) }
        bytes += withUnsafeBytes(of: checksum.littleEndian) { Array($0) }
        return bytes.withUnsafeBytes { Base64URL.encode($0) }
    }

    private static func bytes(of token: String) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: Base64URL.byteCountMax(token)) { buffer, count in
            guard let decoded = Base64URL.decode(token, into: UnsafeMutableRawBufferPointer(buffer)) else {
                throw FuzzFinding("The token \(token) is not as tokens are written.")
            }
            count = decoded
        }
    }

    static func check(_ token: String, _ list: ListQuery) throws {
        let fleet = FuzzFleet.shared
        var query = list
        query.position = .token(token)
        let (ids, page): ([DeviceID], ListPage)
        do throws(InvalidFields) {
            (ids, page) = try fleet.page(query)
        } catch {
            guard error.violations.map(\.field) == ["page_token"] else {
                throw FuzzFinding("The token is refused with \(error.violations).")
            }
            return
        }
        let expected = fleet.expected(list)
        let rest = ids.first.flatMap { expected.firstIndex(of: $0) }.map { expected[$0...] } ?? []
        guard ids.elementsEqual(rest.prefix(list.pageSize)), page.nextPageToken.isEmpty == (rest.count <= list.pageSize)
        else { throw FuzzFinding("The page is \(ids), which does not stand so in \(expected).") }
    }
}
