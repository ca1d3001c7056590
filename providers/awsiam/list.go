package awsiam

import (
	"context"
	"encoding/xml"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// pageSize is how many users are asked for at once. Each of them is asked for its keys, and each key for its last use, so a page is three
// or four times as many requests, and a throttled one is asked for from its beginning.
const pageSize = 25

const markerKey = "marker"

var (
	errCursor = errors.New("this is no cursor of a walk through this account; begin again")
	errMarker = errors.New("the page of users is not the last one, and names no next one")
)

// List implements providers.Lister. IAM's credential report would tell of every key in one reply, but not its id, and with the use of up
// to four hours ago; so each user is asked.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	marker, err := url.ParseQuery(cursor)
	if err != nil || cursor != "" && (len(marker) != 1 || marker.Get(markerKey) == "") {
		return providers.Page{}, p.api.fault("list", providers.ClassRejected, errCursor)
	}
	users, next, at, err := p.api.users(ctx, marker.Get(markerKey))
	if err != nil {
		return providers.Page{}, err
	}
	page := providers.Page{Time: at, Requests: 1, Clients: make([]providers.Listed, 0, len(users))}
	if next != "" {
		page.Next = url.Values{markerKey: {next}}.Encode()
	}
	for _, u := range users {
		seen, err := p.look(ctx, "list", u.Name)
		if providers.ClassOf(err) == providers.ClassNotFound { // it went meanwhile
			page.Requests++
			continue
		}
		if err != nil {
			return providers.Page{}, err
		}
		page.Requests += 1 + len(seen.Secrets)
		page.Clients = append(page.Clients, providers.Listed{
			Ref: credential.Ref{refUser: u.Name}, Name: u.Name, Created: u.Created.UTC(), Snapshot: seen, Whole: true,
		})
	}
	return page, nil
}

// user is a user as IAM shows it.
type user struct {
	Name    string    `xml:"UserName"`
	ARN     string    `xml:"Arn"`
	Created time.Time `xml:"CreateDate"`
}

// users lists the users after a marker; an empty one is the beginning.
func (a api) users(ctx context.Context, marker string) (all []user, next string, at time.Time, err error) {
	about := url.Values{"MaxItems": {strconv.Itoa(pageSize)}}
	if marker != "" {
		about.Set("Marker", marker)
	}
	var page struct {
		XMLName xml.Name `xml:"ListUsersResponse"`
		Result  struct {
			Users  []user `xml:"Users>member"`
			More   bool   `xml:"IsTruncated"`
			Marker string `xml:"Marker"`
		} `xml:"ListUsersResult"`
	}
	resp, err := a.ask(ctx, "list", "ListUsers", about, false)
	if err != nil {
		return nil, "", at, err
	}
	if err = read(resp, &page); err != nil {
		return nil, "", at, err
	}
	for _, u := range page.Result.Users {
		if u.Name == "" {
			return nil, "", at, resp.Missing("UserName")
		}
	}
	if !page.Result.More {
		return page.Result.Users, "", resp.Time, nil
	}
	if page.Result.Marker == "" {
		return nil, "", at, resp.Failed(providers.ClassUnavailable, errMarker)
	}
	return page.Result.Users, page.Result.Marker, resp.Time, nil
}
