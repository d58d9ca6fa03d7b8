package web

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"waveadmin/views"
)

// newCompressor returns the middleware that packs pages. It is as quick as
// packing gets: a page is sent once. Only the matrix, which says the same 3,500
// times, is packed with more care: a fifth off its size for a fifth of a millisecond.
// No secret of a page stands beside what a stranger can put there, since other sites
// cannot make a browser read a page of ours (checkOrigin); so its size tells nothing.
func newCompressor() func(http.Handler) http.Handler {
	quick := wrapper(gzip.BestSpeed, zstd.SpeedFastest)
	careful := wrapper(6, zstd.SpeedBetterCompression)
	return func(next http.Handler) http.Handler {
		others, matrix := quick(next), careful(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == views.MatrixURL {
				matrix.ServeHTTP(w, r)
				return
			}
			others.ServeHTTP(w, r)
		})
	}
}

func wrapper(gzipLevel int, zstdLevel zstd.EncoderLevel) func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(1024),
		gzhttp.CompressionLevel(gzipLevel),
		gzhttp.ZstdCompressionLevel(int(zstdLevel)),
		gzhttp.PreferZstd(true),
	)
	if err != nil {
		panic(err) // the options are constants
	}
	return func(next http.Handler) http.HandlerFunc { return wrap(next) }
}
