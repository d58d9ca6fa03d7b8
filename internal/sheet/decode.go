package sheet

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"waveadmin/internal/fault"
)

const mark = "\uFEFF" // that a text is UTF-8; Windows likes to put it in front

// signatures are how files begin that people send instead of a CSV.
var signatures = []struct{ begin, say string }{
	{"PK\x03\x04", "import.workbook"},       // zip, and so xlsx
	{"PK\x05\x06", "import.workbook"},       // an empty zip
	{"\xd0\xcf\x11\xe0", "import.workbook"}, // xls
	{"%PDF-", "import.binary"},
	{"\x1f\x8b", "import.binary"}, // gzip
	{"\xff\xfe", "import.utf16"},
	{"\xfe\xff", "import.utf16"},
}

// decode returns src as UTF-8 without its mark. It reads Shift_JIS, as Windows writes
// it, where that is what the bytes must be. It fails with fault.TooLarge, with
// fault.Invalid about the field file for what is no text, and as src does.
func decode(src io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(src, MaxBytes+1))
	if err != nil {
		return "", err
	}
	for _, s := range signatures {
		if bytes.HasPrefix(b, []byte(s.begin)) {
			return "", refused(s.say)
		}
	}
	if len(b) > MaxBytes {
		return "", &fault.Error{Kind: fault.TooLarge, Say: fault.Say("import.too_large", "max", MaxBytes>>20)}
	}
	if at := bytes.IndexByte(b, 0); at >= 0 {
		if 3*bytes.Count(b, []byte{0}) > len(b) { // every other byte, or nearly
			return "", refused("import.utf16")
		}
		return "", refused("import.binary")
	}
	if utf8.Valid(b) {
		return strings.TrimPrefix(string(b), mark), nil
	}
	b, err = japanese.ShiftJIS.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(b, utf8.RuneError) {
		return "", refused("import.encoding")
	}
	return string(b), nil
}
