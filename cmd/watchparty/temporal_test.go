package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestTemporalCredentials: a Temporal that wants an API key, or a client's certificate, is reached by settings alone,
// and refuses who has neither. The server behind the gate is a real one.
func TestTemporalCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	ca.issue(t, dir, "client")
	const key = "a key of the tests"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key"), []byte(key+"\n"), 0o600))
	gate := func(needsKey, needsCertificate bool) string {
		target := &url.URL{Scheme: "http", Host: stacktest.TemporalAddress()}
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(transport.CloseIdleConnections)
		proxy := &httputil.ReverseProxy{
			Transport: transport, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if needsKey && r.Header.Get("Authorization") != "Bearer "+key {
				w.Header().Set("Content-Type", "application/grpc")
				w.Header().Set("Grpc-Status", "16") // unauthenticated
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		server.EnableHTTP2 = true
		server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, dir, "server")}, MinVersion: tls.VersionTLS12}
		if needsCertificate {
			server.TLS.ClientAuth, server.TLS.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool
		}
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	check := func(settings ...string) error {
		p := program{environ: append(settings,
			"APP_ENV=production", "DATABASE_HOST=db", "REDIS_HOST=cache", "SMTP_HOST=smtp", "BLOB_URL=mem://",
			"AUTH_SECRET=0123456789abcdef0123456789abcdef",
			"TEMPORAL_TLS_SERVER_CA_CERT_PATH="+filepath.Join(dir, "authority.crt"))}
		cfg, environ, err := p.settings()
		require.NoError(t, err)
		c, err := dialTemporal(environ, slog.New(slog.DiscardHandler), func(*client.Options) {})
		require.NoError(t, err)
		defer c.Close()
		err = health.CheckNamespace(t.Context(), c, cfg.Temporal.Namespace)
		if err != nil {
			requireAway(t, c)
		}
		return err
	}
	withKey := "TEMPORAL_API_KEY_FILE=" + filepath.Join(dir, "key")
	certificate := []string{
		"TEMPORAL_TLS_CLIENT_CERT_PATH=" + filepath.Join(dir, "client.crt"),
		"TEMPORAL_TLS_CLIENT_KEY_PATH=" + filepath.Join(dir, "client.key"),
	}

	keyed := "TEMPORAL_ADDRESS=" + gate(true, false)
	require.NoError(t, check(keyed, withKey))
	require.Error(t, check(keyed), "without the key")
	require.Error(t, check(append(certificate, keyed)...), "a certificate is no key")

	certified := "TEMPORAL_ADDRESS=" + gate(false, true)
	require.NoError(t, check(append(certificate, certified)...))
	require.Error(t, check(certified, withKey), "a key is no certificate")
}

// requireAway checks that an event would wait for Temporal to come back, and is not taken for faulty.
func requireAway(t *testing.T, c client.Client) {
	t.Helper()
	event := job.Event{WorkflowID: "away/" + uuid.NewString(), Workflow: "Away", TaskQueue: "away"}
	require.ErrorIs(t, outbox.Temporal(c)(t.Context(), event), outbox.ErrAway)
	event.Signal = "signal"
	require.ErrorIs(t, outbox.Temporal(c)(t.Context(), event), outbox.ErrAway)
}

// authority issues certificates for this machine.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

// newAuthority makes an authority whose certificate is authority.crt in dir.
func newAuthority(t *testing.T, dir string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	writePEM(t, filepath.Join(dir, "authority.crt"), "CERTIFICATE", der)
	a := authority{certificate: certificate, key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(certificate)
	return a
}

// issue makes a certificate with its key, also as the files name.crt and name.key in dir.
func (a authority) issue(t *testing.T, dir, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	crt, secret := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	writePEM(t, crt, "CERTIFICATE", der)
	writePEM(t, secret, "EC PRIVATE KEY", private)
	pair, err := tls.LoadX509KeyPair(crt, secret)
	require.NoError(t, err)
	return pair
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
