package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// complete makes URL from the other fields, or adds Password to it.
func (d *Database) complete() {
	if d.Host == "" {
		d.URL = withPassword(d.URL, d.Password)
		return
	}
	u := url.URL{Scheme: "postgres", Host: join(d.Host, d.Port), Path: "/" + d.Name, User: userinfo(d.User, d.Password)}
	query := url.Values{}
	if d.SSLMode != "" {
		query.Set("sslmode", d.SSLMode)
	}
	if d.SSLRootCert != "" {
		query.Set("sslrootcert", d.SSLRootCert)
	}
	u.RawQuery = query.Encode()
	d.URL = u.String()
}

// complete makes URL from the other fields, or adds Password to its addresses.
func (r *Redis) complete() {
	if r.Host == "" {
		addresses := strings.Split(r.URL, ",")
		for i := range addresses {
			addresses[i] = escapeCommas(withPassword(addresses[i], r.Password))
		}
		r.URL = strings.Join(addresses, ",")
		return
	}
	u := url.URL{Scheme: "redis", Host: join(r.Host, r.Port), Path: "/" + strconv.Itoa(r.DB)}
	if r.TLS {
		u.Scheme = "rediss"
	}
	if r.Username != "" || r.Password != "" {
		u.User = userinfo(r.Username, r.Password)
	}
	r.URL = escapeCommas(u.String())
}

// escapeCommas escapes the commas of a password, since commas separate the addresses of a cluster.
func escapeCommas(address string) string { return strings.ReplaceAll(address, ",", "%2C") }

// withPassword adds a password to an address that has none. It does not change an address that Validate refuses.
func withPassword(address, password string) string {
	if password == "" || address == "" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if _, has := u.User.Password(); has {
		return address
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String()
}

func userinfo(user, password string) *url.Userinfo {
	if password == "" {
		return url.User(user)
	}
	return url.UserPassword(user, password)
}

// join joins host and port. An IPv6 address may be with or without brackets.
func join(host string, port int) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port))
}
