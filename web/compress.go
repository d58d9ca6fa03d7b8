package web

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// newCompressor returns the middleware that packs pages. It is as quick as
// packing gets: a page is sent once. No secret of a page stands beside what a
// stranger can put there, since other sites cannot make a browser read a page
// of ours (checkOrigin); so its size tells nothing.
func newCompressor() func(http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(1024),
		gzhttp.CompressionLevel(gzip.BestSpeed),
		gzhttp.ZstdCompressionLevel(int(zstd.SpeedFastest)),
		gzhttp.PreferZstd(true),
	)
	if err != nil {
		panic(err) // the options are constants
	}
	return func(next http.Handler) http.Handler { return wrap(next) }
}
