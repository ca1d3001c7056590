// Package world puts rotad's built binary among real servers, as a process with a configuration file of its own.
//
//	Run (one per go test): the binary, the cache, Keycloak and Postfix, which scenarios share
//	 └── World (one per scenario): a realm, a Vault of its own, mail addresses of its own, the configuration
//	      ├── Daemon    rotad run; asked by the command line, as a person would ask it
//	      ├── Consumer  logs in all the time with what Vault hands out: nobody may be cut off
//	      └── leaks     every secret is noted when it is seen; at the end none may stand in anything that left the daemon
package world
