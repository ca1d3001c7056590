package http

import (
	"net/url"
	"strings"
)

// linked takes a parameter out of the address that headers name as the next page (RFC 8288): <https://host/path?after=x>; rel="next". Nothing
// else of the address is used, so it leads nowhere but to the next page of the same request.
func linked(headers []string, parameter string) string {
	for _, header := range headers {
		for header != "" {
			_, rest, found := strings.Cut(header, "<")
			if !found {
				break
			}
			address, rest, found := strings.Cut(rest, ">")
			if !found {
				break
			}
			about, after, _ := strings.Cut(rest, "<")
			if next(about) {
				if at, err := url.Parse(address); err == nil {
					return at.Query().Get(parameter)
				}
			}
			header = ""
			if after != "" {
				header = "<" + after
			}
		}
	}
	return ""
}

// next says whether the parameters of a link call it the next page.
func next(about string) bool {
	for parameter := range strings.SplitSeq(about, ";") {
		name, value, _ := strings.Cut(strings.Trim(parameter, " \t,"), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for word := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(word, "next") {
				return true
			}
		}
	}
	return false
}
