package app

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// What a connection that we close is still read for, so that its last answer
// arrives: of a body that was too large, say.
const (
	lingerBytes = 4 << 20
	lingerTime  = 2 * time.Second
)

// lingering is a listener whose connections are closed as HTTP wants it (RFC 9112,
// section 9.6): closed with octets unread, TCP resets, and the reset throws away the
// answer that the client did not read yet.
type lingering struct{ net.Listener }

// listen takes an address for the application.
func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return lingering{listener}, nil
}

// Accept implements net.Listener.
func (l lingering) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	wire, isTCP := connection.(*net.TCPConn)
	if !isTCP {
		return connection, nil
	}
	c := &lingerer{TCPConn: wire}
	c.over.Store(true)
	return c, nil
}

// lingerer is a connection that is read to its end, within bounds, when it is closed.
type lingerer struct {
	*net.TCPConn
	// over: a read waits, or one failed: nothing is unread, the client is silent, or
	// gone. Or none began: the connection is one too many, and whoever accepts is not
	// to wait for it.
	over atomic.Bool
}

// Read implements net.Conn.
func (c *lingerer) Read(into []byte) (int, error) {
	c.over.Store(true)
	n, err := c.TCPConn.Read(into)
	c.over.Store(err != nil)
	return n, err
}

// Close implements net.Conn.
func (c *lingerer) Close() error {
	if !c.over.Load() && c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes) // however it ends, we close
	}
	if err := c.TCPConn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
