package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// idSize is the length of a session's id, and of its signature.
const idSize = 32

// encoding is that of cookies. It is strict, so that one value has one text.
var encoding = base64.RawURLEncoding.Strict()

// derive returns the key of one use. A key never serves two uses.
func derive(secret []byte, use string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "waveadmin "+use, 32)
	if err != nil {
		panic(err) // 32 bytes are never too many
	}
	return key
}

// box encrypts short texts with AES-256-GCM. It seals with the first key and
// opens with all.
type box []cipher.AEAD

func newBox(secrets [][]byte, use string) box {
	var b box
	for _, secret := range secrets {
		block, err := aes.NewCipher(derive(secret, use))
		if err != nil {
			panic(err) // the key has 32 bytes
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic(err) // AES has the block size of GCM
		}
		b = append(b, aead)
	}
	return b
}

// seal returns text encrypted and bound to place: it opens nowhere else.
func (b box) seal(text []byte, place string) string {
	return encoding.EncodeToString(b[0].Seal(nil, nil, text, []byte(place)))
}

// open is the reverse of seal. It reports false for whatever seal did not make.
func (b box) open(sealed, place string) ([]byte, bool) {
	raw, err := encoding.DecodeString(sealed)
	if err != nil {
		return nil, false
	}
	for _, aead := range b {
		if text, err := aead.Open(nil, nil, raw, []byte(place)); err == nil {
			return text, true
		}
	}
	return nil, false
}

// signer makes and checks the session cookie: a random id and its HMAC. The
// signature keeps made-up ids away from the database.
type signer [][]byte

func newSigner(secrets [][]byte, use string) signer {
	var s signer
	for _, secret := range secrets {
		s = append(s, derive(secret, use))
	}
	return s
}

// issue returns a cookie with a new id, and the row that it stands for.
func (s signer) issue() (cookie, row string) {
	id := make([]byte, idSize, 2*idSize)
	_, _ = rand.Read(id) // it never fails
	return encoding.EncodeToString(append(id, mac(s[0], id)...)), rowOf(id)
}

// row returns the row of a cookie that issue made.
func (s signer) row(cookie string) (string, bool) {
	raw, err := encoding.DecodeString(cookie)
	if err != nil || len(raw) != 2*idSize {
		return "", false
	}
	for _, key := range s {
		if hmac.Equal(raw[idSize:], mac(key, raw[:idSize])) {
			return rowOf(raw[:idSize]), true
		}
	}
	return "", false
}

func mac(key, id []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(id)
	return h.Sum(nil)
}

// rowOf hashes an id, so that who reads the database cannot take over a session.
func rowOf(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:])
}
