package mail

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/mail/smtptest"
)

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "dkim.pem")
	require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return name
}

func pkcs8(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return der
}

// requireSigned checks an email as its receiver does, with the public key in the sender's DNS record.
func requireSigned(t *testing.T, content, record string) error {
	t.Helper()
	asked := ""
	all, err := dkim.VerifyWithOptions(strings.NewReader(content), &dkim.VerifyOptions{
		LookupTXT: func(domain string) ([]string, error) {
			asked = domain
			return []string{record}, nil
		},
	})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "2026._domainkey.watchparty.test", asked)
	require.Equal(t, "watchparty.test", all[0].Domain)
	return all[0].Err
}

func TestSendSigns(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, minRSABits)
	require.NoError(t, err)
	rsaPublic, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	require.NoError(t, err)
	public, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	rsaRecord := "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(rsaPublic)
	for name, c := range map[string]struct{ file, record string }{
		"RSA":            {pemFile(t, "PRIVATE KEY", pkcs8(t, rsaKey)), rsaRecord},
		"RSA of PKCS #1": {pemFile(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), rsaRecord},
		"Ed25519": {pemFile(t, "PRIVATE KEY", pkcs8(t, edKey)),
			"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)},
	} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.Serve(t, smtptest.Script{})
			signed := smtpConfig(server)
			signed.DKIMSelector, signed.DKIMKeyFile = "2026", c.file
			m := testMessage(t)
			m.UnsubscribeURL = "https://watch.test/unsubscribe?token=t"
			require.NoError(t, newSender(t, signed).Send(t.Context(), m))
			content := server.Contents()[0]
			require.NoError(t, requireSigned(t, content, c.record))

			for what, changed := range map[string]string{
				"text":          strings.Replace(content, "Pick a movie", "Pick a fight", 1),
				"subject":       strings.Replace(content, "Subject: Welcome", "Subject: Goodbye", 1),
				"another From":  "From: x@evil.test\r\n" + content,
				"unsubscribing": strings.Replace(content, "/unsubscribe", "/elsewhere", 1),
			} {
				require.NotEqual(t, content, changed, what)
				require.Error(t, requireSigned(t, changed, c.record), what)
			}
		})
	}
}

func TestNewRefusesBadKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that it is refused is the test
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	text := filepath.Join(t.TempDir(), "key.txt")
	require.NoError(t, os.WriteFile(text, []byte("hunter2"), 0o600))
	for says, file := range map[string]string{
		"no such file":          filepath.Join(t.TempDir(), "none.pem"),
		"holds no PEM block":    text,
		"can be read":           pemFile(t, "PRIVATE KEY", []byte("hunter2")),
		"at least 2048 bits":    pemFile(t, "PRIVATE KEY", pkcs8(t, weak)),
		"an RSA or Ed25519 key": pemFile(t, "PRIVATE KEY", pkcs8(t, other)),
	} {
		c := smtpConfig(&smtptest.Server{Host: "127.0.0.1", Port: 1})
		c.DKIMSelector, c.DKIMKeyFile = "2026", file
		_, err := New(c)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "MAIL_DKIM_KEY_FILE")
		require.NotContains(t, err.Error(), "hunter2")
	}
}
