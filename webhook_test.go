package watchparty_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// TestWebhookAddresses: only public addresses, in whatever form an address stands in an IPv6 one.
func TestWebhookAddresses(t *testing.T) {
	var public watchparty.WebhookTargets
	for address, allowed := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.255.255": true,
		"172.32.0.0": true, "192.0.1.0": true, "198.17.255.255": true, "198.20.0.0": true, "223.255.255.255": true,
		"168.63.129.15": true, "2606:4700:4700::1111": true, "2a00:1450::1": true, "2001:4860:4860::8888": true,
		"::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true, "3ffe::1": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "127.0.0.1": false,
		"127.255.255.254": false, "100.64.0.1": false, "100.100.100.200": false, "100.127.255.255": false,
		"169.254.169.254": false, "169.254.170.2": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.0.0.1": false, "192.0.0.192": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "198.51.100.7": false, "203.0.113.9": false, "224.0.0.1": false,
		"239.255.255.250": false, "240.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false,

		"::": false, "::1": false, "::127.0.0.1": false, "::8.8.8.8": false, "::ffff:127.0.0.1": false,
		"::ffff:10.0.0.1": false, "::ffff:a9fe:a9fe": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false,
		"64:ff9b:1:7f00:0:100::": false, "2002:7f00:1::": false, "2002:808:808::": false, "2001::1": false,
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": false, "2001:10::1": false, "2001:db8::1": false, "3fff::1": false,
		"100::1": false, "fc00::1": false, "fd00:ec2::254": false, "fd12:3456::1": false, "fe80::1": false,
		"fe80::1%eth0": false, "fec0::1": false, "febf::1": false, "ff02::1": false, "5f00::1": false, "4000::1": false,
	} {
		require.Equal(t, allowed, public.Allows("https", netip.MustParseAddr(address)), address)
		require.False(t, public.Allows("http", netip.MustParseAddr(address)), address)
	}

	at := watchparty.WebhookTargets{Private: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fd00::/8"),
	}}
	for address, allowed := range map[string]bool{
		"127.0.0.1": true, "::ffff:127.0.0.1": true, "64:ff9b::127.0.0.1": true, "fd00::1": true, "8.8.8.8": false,
		"::ffff:8.8.8.8": false, "64:ff9b::8.8.8.8": false, "2606:4700:4700::1111": false,
		"10.0.0.1": false, "::1": false, "fc00::1": false, "fd00::1%eth0": false, "169.254.169.254": false,
	} {
		require.Equal(t, allowed, at.Allows("http", netip.MustParseAddr(address)), address)
		if allowed {
			require.True(t, at.Allows("https", netip.MustParseAddr(address)), address)
		}
	}
	require.True(t, at.Allows("https", netip.MustParseAddr("8.8.8.8")))
}

// TestWebhookURLs: what the form of an address tells. Other spellings of IP addresses are names, for the dialer to
// check.
func TestWebhookURLs(t *testing.T) {
	private := watchparty.WebhookTargets{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	for _, test := range []struct {
		url             string
		public, private bool // whether it can be registered without private networks, and with one
	}{
		{"https://hooks.example/a?b=c", true, true},
		{"https://hooks.example:443/", true, true},
		{"https://hooks.example:8443/", true, true},
		{"https://bücher.example/", true, true},
		{"https://8.8.8.8/", true, true},
		{"https://[2606:4700:4700::1111]/", true, true},
		{"http://hooks.example/", false, true},
		{"http://127.0.0.1:8080/", false, true},
		{"HTTP://127.0.0.1:8080/", false, true},
		{"http://8.8.8.8:8080/", false, false},
		{"http://[::ffff:8.8.8.8]/", false, false},
		{"https://127.0.0.1/", false, true},
		{"https://10.0.0.1/", false, false},
		{"https://[::1]/", false, false},
		{"https://[::ffff:127.0.0.1]/", false, true},
		{"https://[::ffff:10.0.0.1]/", false, false},
		{"https://[fe80::1%25eth0]/", false, false},
		{"https://169.254.169.254/latest/meta-data/", false, false},
		{"https://hooks.example:22/", false, false},
		{"https://hooks.example:80/", false, false},
		{"http://hooks.example:443/", false, false},
		{"https://hooks.example:0/", false, false},
		{"https://hooks.example:65536/", false, false},
		{"https://hooks.example:/", false, false},
		{"https://user@hooks.example/", false, false},
		{"https://user:password@hooks.example/", false, false},
		{"https://hooks.example/#fragment", false, false},
		{"https://hooks.example\\@127.0.0.1/", false, false},
		{"https://hooks.example/ a", false, false},
		{"https:///path", false, false},
		{"https:hooks.example", false, false},
		{"ftp://hooks.example/", false, false},
		{"file:///etc/passwd", false, false},
		{"gopher://127.0.0.1:6379/_FLUSHALL", false, false},
		{"//hooks.example/", false, false},
		{"hooks.example", false, false},
		{"", false, false},
	} {
		require.Equal(t, test.public, watchparty.WebhookTargets{}.CheckURL(test.url) == nil, test.url)
		require.Equal(t, test.private, private.CheckURL(test.url) == nil, test.url)
	}
}

func TestNewWebhook(t *testing.T) {
	valid := watchparty.NewWebhook{
		URL: "https://hooks.example/", Kinds: []watchparty.WebhookKind{watchparty.WebhookRoomOpened},
	}
	require.NoError(t, valid.Validate(watchparty.WebhookTargets{}))
	for name, change := range map[string]func(*watchparty.NewWebhook){
		"url:too_long":            func(n *watchparty.NewWebhook) { n.URL = "https://hooks.example/" + strings.Repeat("a", 2000) },
		"url:bidi_control":        func(n *watchparty.NewWebhook) { n.URL = "https://hooks.example/\u202egnp" },
		"url:invisible_character": func(n *watchparty.NewWebhook) { n.URL = "https://hooks\u200b.example/" },
		"url:line_break":          func(n *watchparty.NewWebhook) { n.URL = "https://hooks.example/\n" + "a" },
		"url:control_character":   func(n *watchparty.NewWebhook) { n.URL = "https://hooks.example/\t" + "a" },
		"description:too_long":    func(n *watchparty.NewWebhook) { n.Description = strings.Repeat("a", 201) },
		"kinds:required":          func(n *watchparty.NewWebhook) { n.Kinds = nil },
	} {
		n := valid
		change(&n)
		require.Equal(t, []string{name}, wrongFields(t, n.Validate(watchparty.WebhookTargets{})))
	}
	n := valid
	n.Kinds = []watchparty.WebhookKind{watchparty.WebhookTestRequested}
	require.Equal(t, []string{"kinds:enum"}, wrongFields(t, n.Validate(watchparty.WebhookTargets{})))
	n = watchparty.NewWebhook{
		URL:         " https://hooks.example/ ",
		Description: " To  the bot ",
		Kinds: []watchparty.WebhookKind{
			watchparty.WebhookUserSuspended, watchparty.WebhookRoomOpened, watchparty.WebhookUserSuspended,
		},
	}
	n.Normalise()
	require.Equal(t, "https://hooks.example/", n.URL)
	require.Equal(t, []watchparty.WebhookKind{watchparty.WebhookRoomOpened, watchparty.WebhookUserSuspended}, n.Kinds)
}
