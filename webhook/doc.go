// Package webhook sends messages to the addresses that admins have registered, as Standard Webhooks 1.0 says
// (standardwebhooks.com): the signature, and one HTTP request for each attempt.
//
// The address, and the DNS of its name, belong to somebody else. Therefore the dialer checks the resolved IP address of
// each connection: a name that resolves to another address a moment later gains nothing. Proxies and redirects are not
// followed, since they would lead elsewhere unchecked.
package webhook
