package servers

import (
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/textproto"
	"strings"
)

// dialogue is one conversation with a scripted mail server (RFC 5321).
type dialogue struct {
	server *Scripted
	plain  net.Conn
	text   *textproto.Conn
	secure bool
	known  bool   // has logged in
	to     string // the recipient that was accepted

	idle bool // has no mail on its way; the server's lock guards it and last
	last bool // ends when it stands idle
}

// run speaks until somebody hangs up.
func (d *dialogue) run() {
	d.text = textproto.NewConn(d.plain)
	if d.server.dies(d, DieConnected) || !d.say("220 mx.rotad.test ESMTP") {
		return
	}
	for {
		line, err := d.text.ReadLine()
		if err != nil || !d.command(line) {
			return
		}
	}
}

func (d *dialogue) say(lines ...string) bool {
	return d.text.PrintfLine("%s", strings.Join(lines, "\r\n")) == nil
}

// command answers one; false ends the dialogue.
func (d *dialogue) command(line string) bool {
	word, rest, _ := strings.Cut(line, " ")
	word = strings.ToUpper(word)
	if d.server.dies(d, word) {
		return false
	}
	switch word {
	case DieHello:
		return d.hello()
	case DieStartTLS:
		return d.protect()
	case DieAuth:
		return d.login(rest)
	case DieMail:
		d.server.rest(d, false)
		if !d.known {
			return d.say("530 5.7.0 log in first")
		}
		return d.say("250 2.1.0 Ok")
	case DieRcpt:
		return d.recipient(rest)
	case DieData:
		return d.message()
	case DieReset:
		d.to = ""
		return d.say("250 2.0.0 Ok") && d.server.rest(d, true)
	case DieQuit:
		d.say("221 2.0.0 Bye")
		return false
	}
	return d.say("502 5.5.2 what is " + word)
}

func (d *dialogue) hello() bool {
	list := d.server.extensions(d.secure)
	for i, name := range list {
		between := "-"
		if i == len(list)-1 {
			between = " "
		}
		list[i] = "250" + between + name
	}
	return d.say(list...)
}

func (d *dialogue) protect() bool {
	if !d.say("220 2.0.0 go ahead") {
		return false
	}
	d.text = textproto.NewConn(tls.Server(d.plain, d.server.secure))
	d.secure = true
	return true
}

func (d *dialogue) login(rest string) bool {
	_, encoded, _ := strings.Cut(rest, " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !d.secure || err != nil || string(raw) != "\x00"+MailUser+"\x00"+MailPassword {
		return d.say("535 5.7.8 no")
	}
	d.known = true
	return d.say("235 2.7.0 welcome")
}

// recipient refuses for now where the server is to die at the RSET that follows.
func (d *dialogue) recipient(rest string) bool {
	if d.server.awaits(d, DieReset) {
		return d.say("450 4.2.0 not now")
	}
	_, address, _ := strings.Cut(rest, "<")
	d.to, _, _ = strings.Cut(address, ">")
	return d.say("250 2.1.5 Ok")
}

func (d *dialogue) message() bool {
	if d.to == "" {
		return d.say("554 5.5.1 no recipient")
	}
	if !d.say("354 go on") {
		return false
	}
	if d.server.awaits(d, DieBody) {
		_, _ = d.text.ReadLine()
		return !d.server.dies(d, DieBody)
	}
	raw, err := d.text.ReadDotBytes()
	if err != nil || d.server.dies(d, DieDot) {
		return false
	}
	d.server.take(d.to, raw)
	d.to = ""
	if d.server.dies(d, DieTaken) {
		return false
	}
	return d.say("250 2.0.0 Ok: taken") && d.server.rest(d, true)
}
