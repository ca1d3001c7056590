package httpapi

import (
	"errors"
	"net/url"
)

// Split parts the address of one endpoint into the base of a Client and a path, because a base loses its last slash and a
// token endpoint may need it.
func Split(address string) (base, path string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", errors.New("the URL cannot be parsed") // the cause repeats the address
	}
	path = u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	origin := url.URL{Scheme: u.Scheme, Host: u.Host} // as text: the zone of an address such as fe80::1%eth0 is escaped there
	return origin.String(), path, nil
}
