package servers

import (
	"fmt"
	"os"
	"strings"
)

// mainCF accepts mail after STARTTLS and AUTH only, or from who shows its own certificate, for one domain, and delivers every address into one Maildir.
func (p *Postfix) mainCF() string {
	return strings.NewReplacer("DIR", p.dir, "UID", p.uid, "GID", p.gid, "DOMAIN", MailDomain).Replace(`
compatibility_level = 3.6
queue_directory = DIR/spool
data_directory = DIR/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.DOMAIN
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = DOMAIN
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 100
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
default_transport = error:no mail leaves this machine
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = DIR/mail.pem
smtpd_tls_key_file = DIR/mail.key
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_ask_ccert = yes
smtpd_tls_CAfile = DIR/mail.pem
smtpd_relay_restrictions = permit_sasl_authenticated, permit_tls_all_clientcerts, reject
smtpd_recipient_restrictions = check_recipient_access texthash:DIR/recipients, permit_sasl_authenticated, permit_tls_all_clientcerts, reject
smtpd_peername_lookup = no
maillog_file = DIR/maillog
maillog_file_prefixes = /
`)
}

const masterTemplate = "/usr/share/postfix/master.cf.dist"

// masterCF is the distribution's list of services with another port and without chroot, in which they would not find
// their libraries.
func (p *Postfix) masterCF() (string, error) {
	raw, err := os.ReadFile(masterTemplate)
	if err != nil {
		return "", fmt.Errorf("reading postfix's services: %w", err)
	}
	lines := strings.Split(string(raw), "\n")
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) < 8 || strings.HasPrefix(line, "#") || strings.HasPrefix(line, " ") {
			continue
		}
		if fields[0] == "smtp" && fields[1] == "inet" {
			fields[0] = fmt.Sprint(p.Port)
		}
		fields[4] = "n"
		lines[i] = strings.Join(fields, " ")
	}
	return strings.Join(lines, "\n"), nil
}

// dovecotConf answers AUTH for Postfix, and shows the Maildir over IMAP. It asks three files after each other, so that an account may have two
// passwords at a time. Refused logins are answered at once: its pauses grow to longer than Postfix waits for an answer.
func (p *Postfix) dovecotConf() string {
	return strings.NewReplacer("DIR", p.dir, "PORT", fmt.Sprint(p.IMAPPort)).Replace(`
base_dir = DIR/dovecot-run
state_dir = DIR/dovecot-state
log_path = DIR/dovecot.log
protocols = imap
mail_location = maildir:DIR/mail/all:INDEX=MEMORY
first_valid_uid = 0
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-256 xoauth2
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = DIR/dovecot-oauth2
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN DIR/dovecot-users
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN DIR/dovecot-first
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN DIR/dovecot-second
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=DIR/mail
}
service imap-login {
  inet_listener imap {
    port = PORT
  }
  inet_listener imaps {
    port = 0
  }
}
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener DIR/spool/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
`)
}
