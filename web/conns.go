package web

import (
	"net"
	"net/netip"
	"sync"
)

const (
	// maxConns is of all clients. Each costs about 30 KB, and a file.
	maxConns = 4096
	// maxConnsOfOne is of one address: an office of 80 people with browsers that
	// open six each, and no more than an eighth for one that only wants to fill us up.
	maxConnsOfOne = 512
)

// LimitConns returns ln with a bound on connections, all and of one address. What
// is too many is closed at once: waiting would keep everyone out. Behind trusted
// proxies all come from the same few addresses, and only the first bound holds.
func LimitConns(ln net.Listener, trustedProxies int) net.Listener {
	one := maxConnsOfOne
	if trustedProxies > 0 {
		one = maxConns
	}
	return limitConns(ln, maxConns, one)
}

func limitConns(ln net.Listener, all, one int) *limitedListener {
	return &limitedListener{Listener: ln, all: all, one: one, open: make(map[netip.Prefix]int)}
}

type limitedListener struct {
	net.Listener
	all, one int

	mu    sync.Mutex
	count int
	open  map[netip.Prefix]int
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		who := network(remoteAddr(conn))
		if l.enter(who) {
			return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(who) })}, nil
		}
		// Reset instead of an orderly end, which would keep a port waiting.
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // then it ends in order
		}
		conn.Close()
	}
}

func (l *limitedListener) enter(who netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count >= l.all || l.open[who] >= l.one {
		return false
	}
	l.count++
	l.open[who]++
	return true
}

func (l *limitedListener) leave(who netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count--
	if l.open[who]--; l.open[who] == 0 {
		delete(l.open, who)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite lets net/http end a connection in order, so that a client which still
// sends gets the answer that refuses it.
func (c *limitedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func remoteAddr(c net.Conn) netip.Addr {
	addr, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{} // not of a TCP listener
	}
	return addr.Addr()
}

// network returns who an address belongs to: of IPv6 the network of 64 bits, since
// a client has all of it to itself. Clients without an address are one.
func network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // the zero Prefix of the zero Addr
	return prefix
}
