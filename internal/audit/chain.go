package audit

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// columns of an event, in the order in which sum takes them; mac is the last.
const columns = `seq, at, kind, actor_issuer, actor_subject, actor_name, account, change_id,
	request_id, remote_address, details, key_id, prev_mac, mac`

// columnCount is how many there are.
const columnCount = 14

// key signs events. Its id stands in each row, so that rows of before a new
// secret are verified with the old one.
type key struct {
	id     string
	secret []byte
}

func newKey(secret []byte) key {
	return key{
		id:     hex.EncodeToString(derive(secret, "waveadmin audit key id", 8)),
		secret: derive(secret, "waveadmin audit chain", sha256.Size),
	}
}

// derive returns the key of one use of secret. The id must tell nothing about the
// secret, so it is derived too.
func derive(secret []byte, use string, size int) []byte {
	b, err := hkdf.Key(sha256.New, secret, nil, use, size)
	if err != nil {
		panic(err) // so few bytes are never too many
	}
	return b
}

// sum returns the MAC of a row without its last column, in hex. Each field comes
// with its length: no text can be moved from one to the next unseen.
func (k key) sum(fields []string) string {
	h := hmac.New(sha256.New, k.secret)
	var b []byte
	for _, f := range fields {
		b = append(binary.BigEndian.AppendUint64(b[:0], uint64(len(f))), f...)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}
