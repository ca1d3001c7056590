package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// formatProblem says what keeps a text from having the form that its tag names; "" = nothing.
func formatProblem(format, text string) (what, hint string) {
	switch format {
	case "url":
		return urlProblem(text)
	case "probe":
		before, _, _ := strings.Cut(text, "?")
		return urlProblem(before)
	case "email":
		return mailProblem(text)
	case "host":
		return hostProblem(text)
	case "zone":
		return zoneProblem(text)
	case "clock":
		return clockProblem(text)
	case "digest":
		return digestProblem(text)
	case "listen":
		return listenProblem(text)
	case "cidr":
		return networkProblem(text)
	}
	return "", ""
}

func urlProblem(text string) (what, hint string) {
	u, err := url.Parse(text)
	const want = "write https://host:port"
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "is not a URL with scheme and host", want
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("is a URL of the scheme %q, not http or https", u.Scheme), want
	case u.User != nil:
		return "is a URL with a user or a password in it", "secrets have settings of their own"
	case u.RawQuery != "" || u.Fragment != "":
		return "is a URL with a query or a fragment", "delete what follows ? or #"
	case u.Port() != "" && !validPort(u.Port()):
		return "is a URL with an impossible port", "ports go from 1 to 65535"
	}
	return "", ""
}

func mailProblem(text string) (what, hint string) {
	address, err := mail.ParseAddress(text)
	if err != nil {
		return fmt.Sprintf("%q is not a mail address", text), "write name@example.com or Name <name@example.com>"
	}
	if strings.ContainsAny(address.Address, " \r\n\t") || strings.HasSuffix(address.Address, ".") {
		return fmt.Sprintf("%q is not a mail address that servers accept", text), "write name@example.com"
	}
	return "", ""
}

func networkProblem(text string) (what, hint string) {
	const want = "write 10.0.0.0/8, or 192.0.2.7/32 for one address"
	switch network, err := netip.ParsePrefix(text); {
	case err != nil:
		return fmt.Sprintf("%q is not a network", text), want
	case network.Bits() == 0:
		return fmt.Sprintf("%q is every address there is", text), "anybody could then say where they come from; " + want
	}
	return "", ""
}

func hostProblem(text string) (what, hint string) {
	if strings.ContainsAny(text, "/@ \t\r\n") {
		return fmt.Sprintf("%q is not a host name", text), "write the name alone, without scheme or path"
	}
	if net.ParseIP(text) == nil && strings.Contains(text, ":") {
		return fmt.Sprintf("%q is not a host name", text), "the port has a setting of its own"
	}
	return "", ""
}

func zoneProblem(text string) (what, hint string) {
	if _, err := loadZone(text); err != nil {
		return err.Error(), "write an IANA name such as Europe/Berlin or UTC"
	}
	return "", ""
}

// loadZone loads an IANA zone; "" is UTC. "Local" is refused because it means another zone on every machine.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone that means the same on every machine", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return zone, nil
}

// maxSocketPath is what sun_path of unix(7) holds, without the final zero byte.
const maxSocketPath = 107

func listenProblem(text string) (what, hint string) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return socketProblem(path)
	}
	host, port, err := net.SplitHostPort(text)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not an address to listen on", text), "write 127.0.0.1:9847, :9847 or off"
	case !validPort(port) && port != "0":
		return fmt.Sprintf("%q has no port from 0 to 65535", text), "write 127.0.0.1:9847"
	}
	return hostProblem(host)
}

func socketProblem(path string) (what, hint string) {
	switch {
	case path == "":
		return "names no socket", "write unix:/run/rotad/admin.sock"
	case len(path) > maxSocketPath:
		return fmt.Sprintf("is a socket path of %d bytes", len(path)), fmt.Sprintf("at most %d fit", maxSocketPath)
	}
	return "", ""
}

func validPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= 65535
}
