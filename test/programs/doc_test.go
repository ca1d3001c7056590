// Package programs_test runs the conformance suite with the example programs of the kind exec. They need python3, or sh,
// awk and curl, so they are not part of "go test ./..." in the module of the program.
package programs_test
