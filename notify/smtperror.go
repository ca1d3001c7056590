package notify

import (
	"errors"
	"net/textproto"
	"regexp"
	"strings"
)

// The stages of handing a message over.
const (
	stageAddress = "address"
	stageDial    = "dial"
	stageAuth    = "auth"
	stageMail    = "mail"
	stageRcpt    = "rcpt"
	stageData    = "data"
	stageBody    = "body"
	stageDot     = "dot"
)

var enhancedCode = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})\b`)

// reply returns the server's answer in an error; code 0 = there was none.
func reply(err error) (code int, enhanced string) {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return 0, ""
	}
	if m := enhancedCode.FindStringSubmatch(answer.Msg); m != nil {
		enhanced = m[1]
	}
	return answer.Code, enhanced
}

// accepted says whether an error of the last step is one only because the server said yes with an unusual code.
func accepted(err error) bool {
	code, _ := reply(err)
	return code >= 200 && code < 300
}

// classify says what may be concluded from a failed step (RFC 5321 section 4.2.1, RFC 1047). The library's own notion
// of a temporary error is not used: it knows no lost connection.
//
//	              no answer          4xx        5xx
//	mail          retry              retry      down: the server refuses us, not the recipient
//	rcpt          retry              retry      permanent; with 5.7.x or 530 retry: it refuses us
//	data, body    retry              retry      permanent
//	dot           ambiguous          retry      permanent: it refuses the message, not the address
//
// 421 says that the server closes shop for now; it concerns no single message.
func classify(stage string, err error) *SendError {
	code, enhanced := reply(err)
	out := &SendError{Stage: stage, Code: code, Enhanced: enhanced, Err: err}
	switch {
	case code == 0 && stage == stageDot:
		out.Class = ClassAmbiguous
	case code == 421:
		out.Class = ClassDown
	case code < 500, stage == stageRcpt && refusesUs(code, enhanced):
		out.Class = ClassRetry
	case stage == stageMail:
		out.Class, out.Slow = ClassDown, true
	default:
		out.Class = ClassPermanent
	}
	return out
}

// refusesUs recognises answers to RCPT that are about the sender: relaying denied, login required. They are mended by
// changing the configuration, so they must not bury the notices of every recipient.
func refusesUs(code int, enhanced string) bool {
	return code == 530 || strings.HasPrefix(enhanced, "5.7.")
}

// dialError is a failure before any message: nothing can be sent now. A refused login is tried again slowly, because
// trying soon may lock the account; what the server said to it is not repeated.
func dialError(stage string, err error) *SendError {
	code, enhanced := reply(err)
	out := &SendError{Class: ClassDown, Stage: stage, Code: code, Enhanced: enhanced, Err: err}
	ours := errors.Is(err, errNoMechanism) || errors.Is(err, errClearPassword) || errors.Is(err, errLoginBroken)
	if ours || code == 530 || code == 534 || code == 535 || code == 538 {
		out.Stage, out.Slow = stageAuth, true
	}
	if code > 0 && out.Stage == stageAuth {
		out.Err = errors.New("the mail server refuses the login")
	}
	return out
}
