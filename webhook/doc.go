// Package webhook sends messages to the addresses that admins have registered, as Standard Webhooks 1.0 says
// (standardwebhooks.com): the signature, and one HTTP request for each attempt.
//
// An address is somebody else's, and so is what its name resolves to. Each connection is checked when it is made, in
// the dialer, against the address that is connected to: a name that resolves to something else a moment later changes
// nothing. Proxies and redirects are not followed, since they would lead elsewhere unchecked.
package webhook
