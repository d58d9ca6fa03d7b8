package signin

import (
	"crypto/rsa"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox/idp"
)

// TestKeySize: a signature is worth no more than its key.
func TestKeySize(t *testing.T) {
	by := func(alg jose.SignatureAlgorithm, key *rsa.PrivateKey) lie {
		published := jose.JSONWebKey{Key: key.Public(), KeyID: "r", Algorithm: string(alg), Use: "sig"}
		return signedRS256("r", func(s *idp.Signing) { s.Alg, s.Key = alg, key }, published)
	}
	for least, rows := range map[int][]row{
		2048: {
			{"2048: RS256 of 1024 bits", by(jose.RS256, smallRSAKey()), "rsa_key"},
			{"2048: PS256 of 1024 bits", by(jose.PS256, smallRSAKey()), "rsa_key"},
			{"2048: RS256 of 1024 bits, with ES256 beside", func(w *world) idp.Script {
				s := by(jose.RS256, smallRSAKey())(w)
				sign := s.Sign
				s.Sign = func(s *idp.Signing) { sign(s); s.Header["Alg"] = "ES256" }
				return s
			}, "rsa_key"},
			{"2048: RS256 of 2048 bits", by(jose.RS256, rsaKey()), signedIn},
			{"2048: PS256 of 2048 bits", by(jose.PS256, rsaKey()), signedIn},
		},
		3072: {
			{"3072: RS256 of 2048 bits", by(jose.RS256, rsaKey()), "rsa_key"},
			{"3072: PS256 of 2048 bits", by(jose.PS256, rsaKey()), "rsa_key"},
			{"3072: RS256 of 3072 bits", by(jose.RS256, largeRSAKey()), signedIn},
			{"3072: ES256", honest, signedIn},
		},
	} {
		w := newWorld(t, func(c *config.Config) {
			c.Auth.MinRSABits, c.Auth.SigningAlgs = least, []string{"RS256", "PS256", "ES256"}
		})
		w.run(t, rows)
		if least == 3072 {
			w.runLogouts(t, []logoutRow{{"3072: a logout token of ES256", nil, ""}})
		}
	}
}
