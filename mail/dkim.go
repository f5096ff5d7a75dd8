package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/watchparty/watchparty/config"
)

// minRSABits is the smallest key; RFC 8301, 3.2 wants 2048 bits of signers.
const minRSABits = 2048

// signedHeaders are the headers that RFC 6376, 5.4.1 recommends, of those that these emails have. Headers that may
// stand only once are listed twice, so that nobody can add another one.
var signedHeaders = []string{
	"From",
	"From",
	"To",
	"To",
	"Subject",
	"Subject",
	"Date",
	"Date",
	"Message-ID",
	"Message-ID",
	"MIME-Version",
	"Content-Type",
	"Content-Type",
	"Auto-Submitted",
	"List-Unsubscribe",
	"List-Unsubscribe-Post",
}

// signing reads the key that signs the emails of the domain. It returns nil if emails are not signed.
func signing(c config.Email, domain string) (*dkim.SignOptions, error) {
	if c.DKIMKeyFile == "" {
		return nil, nil //nolint:nilnil // signing is optional
	}
	text, err := os.ReadFile(c.DKIMKeyFile)
	if err != nil {
		return nil, fmt.Errorf("mail: MAIL_DKIM_KEY_FILE: %w", err)
	}
	key, err := privateKey(text)
	if err != nil {
		return nil, fmt.Errorf("mail: MAIL_DKIM_KEY_FILE: %w", err)
	}
	return &dkim.SignOptions{
		Domain: domain, Selector: c.DKIMSelector, Signer: key, HeaderKeys: signedHeaders,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}, nil
}

// privateKey parses a key. Its errors do not contain the text.
func privateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("holds no PEM block")
	}
	var key any
	var err error
	if block.Type == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, errors.New("holds no private key that can be read")
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return key, nil
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("must have at least %d bits", minRSABits)
		}
		return key, nil
	}
	return nil, errors.New("must be an RSA or Ed25519 key")
}

// sign prepends the signature to a message.
func (s *Sender) sign(message []byte) ([]byte, error) {
	if s.dkim == nil {
		return message, nil
	}
	var signed bytes.Buffer
	if err := dkim.Sign(&signed, bytes.NewReader(message), s.dkim); err != nil {
		return nil, fmt.Errorf("the message cannot be signed: %w", err)
	}
	return signed.Bytes(), nil
}
