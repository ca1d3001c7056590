package config

import (
	"cmp"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"time"
)

// The kinds of channels. Mail is none of them: it has a section of its own.
const (
	ChannelWebhook = "webhook"
	ChannelSlack   = "slack"
)

// mailChannel is the name of mail among the channels, in deliveries and metrics. No other has it.
const mailChannel = "smtp"

// Channel is a configured way to tell people or programs, besides mail.
type Channel struct {
	Name       string
	Kind       string // ChannelWebhook or ChannelSlack
	Min        string // least severity
	URL        string // of a webhook; that of Slack is a secret
	CACertFile string
	Timeout    time.Duration
	Secret     Secrets // reads "secret" of a webhook, "url" of Slack
}

// channelSettings are the settings that every channel has, whatever its kind.
type channelSettings struct {
	// Kind of the channel: webhook (a program of yours, signed events) or slack (an incoming webhook of Slack).
	Kind string `yaml:"kind" required:"true"`
	// Min is the least severity that is sent over the channel: info, warning or critical. What no other channel takes is sent all
	// the same.
	Min string `yaml:"min" default:"info" enum:"info,warning,critical"`
	// CACertFile is a PEM file of the authorities that signed the server's certificate; empty = the system's.
	CACertFile string `yaml:"ca_cert_file"`
	// Timeout of one message.
	Timeout time.Duration `yaml:"timeout" default:"20s"`
}

// webhookSettings are the settings of a webhook.
type webhookSettings struct {
	// URL that events are posted to: https, or http on this machine.
	URL string `yaml:"url" required:"true" format:"url"`
	// SecretFile is the file that holds the signing key, whsec_ and base64. While one key takes the place of another it holds
	// both, one per line.
	SecretFile string `yaml:"secret_file" required:"true"`
	// SecretEnv is the environment variable that holds the signing key.
	SecretEnv string `yaml:"secret_env"`
}

// slackSettings are the settings of a channel in Slack.
type slackSettings struct {
	// URLFile is the file that holds the URL of the incoming webhook, which is the credential.
	URLFile string `yaml:"url_file" required:"true"`
	// URLEnv is the environment variable that holds that URL.
	URLEnv string `yaml:"url_env"`
}

// channelKinds returns new settings by kind.
func channelKinds() map[string]func() any {
	return map[string]func() any{
		ChannelWebhook: func() any { return new(webhookSettings) },
		ChannelSlack:   func() any { return new(slackSettings) },
	}
}

// channels decodes the blocks of all channels, each by its kind.
func (l *loader) channels(s scope) {
	l.named(s, func(name string, at scope) {
		if name == mailChannel {
			at.report("is the name of mail, which has a section of its own", "give the channel another name")
		}
		if c, ok := l.channel(at); ok {
			c.Name = name
			l.config.Channels = append(l.config.Channels, c)
		}
	})
	slices.SortFunc(l.config.Channels, func(a, b Channel) int { return cmp.Compare(a.Name, b.Name) })
}

// channel decodes one block. Without a known kind the rest of it means nothing, so nothing is said about it.
func (l *loader) channel(s scope) (c Channel, ok bool) {
	kinds := channelKinds()
	settings, known := kinds[kindOf(s)]
	if !known {
		unknownKind(s, sortedKeys(kinds))
		return c, false
	}
	var common channelSettings
	own := settings()
	l.decoder.structs(s, reflectElem(&common), reflectElem(own))
	positive(s.child("timeout"), common.Timeout)
	c = Channel{Kind: common.Kind, Min: common.Min, CACertFile: common.CACertFile, Timeout: common.Timeout, Secret: secretsOf(own)}
	if w, ok := own.(*webhookSettings); ok {
		c.URL = w.URL
		w.check(s)
	}
	return c, true
}

// check refuses a place that is told in clear: what a notice says is nobody else's business. An address of this machine is
// pointed out, because whoever runs something there reads along.
func (w *webhookSettings) check(s scope) {
	at := s.child("url")
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme == "https": // what is no URL has been reported
	case u.Scheme == "http" && isLoopback(w.URL):
		at.warn("the events travel in clear on this machine", "right for a proxy that stands beside rotad; else write https://")
	default:
		at.report("the events would travel in clear", "write https://")
	}
}

// ways checks that a team is reached at all, and by names that exist.
func (l *loader) ways(at scope, emails, channels []string, needed bool) {
	email := at.child("email")
	nobody := len(emails) == 0 && len(channels) == 0 && needed
	switch {
	case nobody && email.written():
		email.report("is empty", "it is required, or write channels: [NAME]")
	case nobody:
		email.report("is required", "or write channels: [NAME]")
	case len(emails) > 0 && l.config.SMTP == nil && len(l.config.Channels) > 0:
		email.warn("there is no mail server", "write smtp:, or channels: alone")
	}
	l.knownChannels(at.child("channels"), channels)
}

func (l *loader) knownChannels(s scope, channels []string) {
	for i, name := range channels {
		place := s.index(i)
		if _, ok := l.config.Channel(name); !ok {
			place.report(fmt.Sprintf("there is no channel %q", name), suggest(name, l.config.channelNames()))
		} else if slices.Index(channels, name) < i {
			place.report(fmt.Sprintf("names the channel %q a second time", name), "delete one of them")
		}
	}
}

// Channel returns the channel of this name.
func (c *Config) Channel(name string) (Channel, bool) {
	i := slices.IndexFunc(c.Channels, func(ch Channel) bool { return ch.Name == name })
	if i < 0 {
		return Channel{}, false
	}
	return c.Channels[i], true
}

func (c *Config) channelNames() []string {
	names := make([]string, len(c.Channels))
	for i, channel := range c.Channels {
		names[i] = channel.Name
	}
	return names
}

// channel is the schema of a channel's block.
func (b *schemaBuilder) channel() object {
	var kinds []Kind
	for name, settings := range channelKinds() {
		kinds = append(kinds, Kind{Name: name, Settings: settings})
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	return b.byKind(reflect.TypeFor[channelSettings](), kinds)
}
