// Which field a name means, and which was meant by a name that there is not.

internal import DeviceModel

extension FilterField {
    /// Every name of a filter but those of attributes, each field's shortest first.
    private static let named: [(name: String, field: FilterField)] = [
        ("id", .id), ("created_date", .createdDate), ("updated_date", .updatedDate), ("device_serial", .deviceSerial),
        ("owner_ref", .ownerRef), ("hardware_version", .hardwareVersion), ("last_seen", .lastSeen),
        ("release", .releaseVersion), ("release.version", .releaseVersion), ("release.revision", .releaseRevision),
        ("release.id", .releaseID), ("last_seen_release.version", .releaseVersion),
        ("last_seen_release.revision", .releaseRevision), ("last_seen_release.id", .releaseID),
        ("cohort", .cohortSlug), ("cohort.slug", .cohortSlug), ("cohort.name", .cohortName), ("cohort.id", .cohortID),
        ("etag", .etag),
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: Self.named.map { ($0.name, $0.field) })

    fileprivate static var names: [String] { Self.named.map(\.name) }

    /// For a sentence: a name for each field, and the shape of the others.
    fileprivate static var nameList: String {
        Self.named.filter { $0.name == $0.field.name }.map(\.name).joined(separator: ", ") + ", attributes.<key>"
    }

    /// Nil where no field but an attribute has this name.
    fileprivate init?(name: String) {
        guard let field = Self.byName[name] else { return nil }
        self = field
    }
}

extension FilterName {
    private static let attributePrefix = "attributes."
    /// The release as a whole, which is there or not.
    private static let wholeRelease = "last_seen_release"
    /// How many pairs of letters are compared to find the nearest key: about a millisecond's work.
    private static let nearestEffortMax = 1 << 18

    /// Whether an unquoted word is a name that a comparison may begin with.
    static func isKnown(_ word: String) -> Bool {
        FilterField(name: word) != nil || word == Self.wholeRelease || word.utf8.starts(with: Self.attributePrefix.utf8)
    }

    var isKnown: Bool { Self.isKnown(self.source) }

    /// What follows `attributes.`, without quotes; nil where the name does not begin so.
    private var attributeKey: String? {
        if let quotedKey = self.quotedKey { return quotedKey }
        guard self.source.utf8.starts(with: Self.attributePrefix.utf8) else { return nil }
        return String(decoding: self.source.utf8.dropFirst(Self.attributePrefix.utf8.count), as: UTF8.self)
    }

    /// The field of this name, for a comparison that asks for presence or for a value.
    func field(
        forPresence asksPresence: Bool, attributeKey: (String) -> AttributeKeyRecord?,
        attributeKeyNames: () -> [String]
    ) throws(FilterFault) -> FilterField {
        if let key = self.attributeKey {
            if let record = attributeKey(key) { return .attribute(record) }
            throw self.unknownAttribute(key, attributeKey: attributeKey, attributeKeyNames: attributeKeyNames)
        }
        if let field = FilterField(name: self.source) { return field }
        if self.source == Self.wholeRelease {
            if asksPresence { return .releaseVersion }
            throw FilterFault(
                "compares 'last_seen_release' as a whole", at: self.offset,
                "write release, release.revision or release.id, or last_seen_release:* for devices that have one")
        }
        if self.source == "attributes" {
            throw FilterFault(
                "names 'attributes' as a whole", at: self.offset,
                "write attributes.key or attributes.\"Key with spaces\"")
        }
        throw self.unknownName(attributeKey: attributeKey)
    }

    private func unknownName(attributeKey: (String) -> AttributeKeyRecord?) -> FilterFault {
        let finding = "has the unknown name \(quoted(self.source))"
        if let record = attributeKey(self.source) {
            return FilterFault(
                finding, at: self.offset, "as an attribute it is written \(FilterField.attribute(record).name)")
        }
        guard self.source.utf8.count <= FieldCheck.attributeKeyLengthMax else {
            return FilterFault(finding, at: self.offset, "known ones are \(FilterField.nameList)")
        }
        var names = FilterField.names
        if let dot = self.source.utf8.firstIndex(of: UInt8(ascii: ".")) {
            // The slip may be before the dot, whatever key comes after it.
            names.append("attributes" + self.source[dot...])
        }
        let nearest = self.source.nearest(of: names)?.name ?? ""
        return FilterFault(
            finding, at: self.offset, "the nearest known one is \(nearest), of \(FilterField.nameList)")
    }

    private func unknownAttribute(
        _ key: String, attributeKey: (String) -> AttributeKeyRecord?, attributeKeyNames: () -> [String]
    ) -> FilterFault {
        let finding = "has the unknown attribute key \(quoted(key))"
        guard !key.isEmpty else {
            return FilterFault(
                "names no attribute", at: self.offset, "write attributes.key or attributes.\"Key with spaces\"")
        }
        guard key.utf8.count <= FieldCheck.attributeKeyLengthMax else {
            return FilterFault(
                finding, at: self.offset, "a key has at most \(FieldCheck.attributeKeyLengthMax) characters")
        }
        let names = attributeKeyNames()
        let nearest = CustomMetric.folded(key).nearest(of: names, effortMax: Self.nearestEffortMax)
        guard let nearest, let record = attributeKey(nearest.name) else {
            return FilterFault(finding, at: self.offset, "the project has no attributes yet")
        }
        return FilterFault(finding, at: self.offset, "the nearest known one is \(FilterField.attribute(record).name)")
    }
}
