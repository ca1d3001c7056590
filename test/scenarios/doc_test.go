// Package scenarios_test runs the built daemon against real servers, one scenario of the main job at a time.
//
//	make integration                       all of them
//	make integration RUN=keycloak-grace    one
//
// A scenario begins with an empty Vault, a fresh realm and no state. It prepares clients as people would have them,
// starts the daemon, breaks what its name says, and then asks the servers, not the daemon, what is true.
package scenarios_test
