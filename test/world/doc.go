// Package world puts rotad's built binary among real servers, as a process with a configuration file of its own.
//
//	Run (one per go test): the binary, the cache, Keycloak and Postfix, which scenarios share
//	 └── World (one per scenario): a realm, a Vault of its own, mail addresses of its own, the configuration
//	      ├── Daemon    rotad run; asked by the command line, as a person would ask it
//	      ├── Consumer  logs in all the time with what Vault hands out: nobody may be cut off
//	      └── leaks     at the end no clear secret may stand in any file or output of the daemon
package world
