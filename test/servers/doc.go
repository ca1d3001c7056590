// Package servers starts and stops the real servers that the integration tests run against, and speaks to them the
// way a person with root rights would: to prepare a scenario, to break something, and to see what is true.
//
//	Cache (outside the clone) ── installed once, under a file lock
//	   │
//	   ├── Keycloak    one process for a whole run, a realm per scenario
//	   ├── Vault       one process per scenario: persistent storage, sealed, killed, restarted
//	   ├── Postfix     STARTTLS and AUTH, delivers into Maildir; smtp-sink for refusals; Dovecot shows it over IMAP
//	   ├── Radicale    a calendar server
//	   ├── Prometheus  scrapes the daemon, evaluates the rules
//	   ├── Alertmanager tells a webhook
//	   └── Kubernetes  kube-apiserver and etcd: objects are admitted and stored, and no pod ever runs
//
//	Scripted ── a mail server that dies at a word of the dialogue
//	Proxy ── stands before a server and delays, cuts or refuses its answers
//
// Every server listens on a free port of the loopback interface, keeps its files in a directory of its own, writes its
// log to a file there, and dies with the process that started it.
package servers
