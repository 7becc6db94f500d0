// Names of methods and other things that proto files declare, on the command line.

internal import ArgumentParser
internal import Descriptors
internal import DynamicMessage

extension DescriptorPool {
    /// The method that an argument names.
    ///
    /// - Throws: `ValidationError` with the nearest name.
    func method(argument name: String) throws -> MethodDescriptor {
        do throws(NameError) {
            return try self.method(path: name)
        } catch {
            let methods = self.services.flatMap(\.methods)
            throw Self.refusal("method", name, error, among: methods.map(self.shortPath) + methods.map(\.path))
        }
    }

    /// The full name of what an argument names.
    ///
    /// - Throws: `ValidationError` with the nearest name.
    func fullName(argument name: String) throws -> String {
        do throws(NameError) {
            return try self.fullName(of: name)
        } catch {
            let names = self.symbolNames.sorted()
            let shortNames = names.compactMap { $0.split(separator: ".").last.map(String.init) }
            let methods = self.services.flatMap(\.methods).map(self.shortPath)
            throw Self.refusal("declaration", name, error, among: methods + shortNames + names)
        }
    }

    private static func refusal(
        _ noun: String, _ name: String, _ error: NameError, among names: [String]
    ) -> ValidationError {
        switch error {
        case .unknown:
            let suggestion = name.suggestion(among: names)
            let hint = suggestion == "." ? "; 'rollcall describe' lists the services and their methods." : suggestion
            return ValidationError("There is no \(noun) '\(name)'\(hint)")
        case .ambiguous(let names):
            return ValidationError("'\(name)' may be any of \(names.joined(separator: ", ")); say which.")
        }
    }
}
