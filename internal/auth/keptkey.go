package auth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"

	"waveadmin/internal/db"
)

// A KeptKey is the key of one person for what their browsers keep of them: whoever has no
// session of that person cannot read it there. It is 256 random bits, the same in all
// their sessions and on all servers, whatever secrets these have. No format prints it;
// only Reveal gives it away. The zero KeptKey is none.
type KeptKey struct {
	text *string // a pointer, because fmt prints a text in another struct as it is
}

// Reveal returns the key in base64, or "" for none.
func (k KeptKey) Reveal() string {
	if k.text == nil {
		return ""
	}
	return *k.text
}

func (k KeptKey) String() string {
	if k.text == nil {
		return ""
	}
	return "[redacted]"
}

// keptKey returns the key of who, and makes it when there is none yet. Several who make
// one at once get the same.
func (s *store) keptKey(ctx context.Context, who Actor) (KeptKey, error) {
	made := make([]byte, 32)
	_, _ = rand.Read(made) // it never fails
	var secret string
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		// That it sets what is there already makes it return that.
		return tx.QueryRowContext(ctx, `INSERT INTO kept_keys (issuer, subject, secret, made_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (issuer, subject) DO UPDATE SET secret = kept_keys.secret RETURNING secret`,
			who.Issuer, who.Subject, base64.StdEncoding.EncodeToString(made), db.Micros(s.cfg.Now())).Scan(&secret)
	})
	if err != nil {
		return KeptKey{}, fmt.Errorf("make the key of what browsers keep: %w", err)
	}
	return KeptKey{&secret}, nil
}
