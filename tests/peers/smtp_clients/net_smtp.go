// net/smtp of Go's standard library
package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/smtp"
	"os"
)

func main() {
	log.SetFlags(0)
	wrapper, sender, recipient := os.Args[1] == "tls-wrapper", os.Args[2], os.Args[3]
	host, port := os.Getenv("SMTP_HOST"), os.Getenv("SMTP_PORT")
	authorities, err := os.ReadFile(os.Getenv("SESKEY_CA_FILE"))
	expect(err)
	config := &tls.Config{ServerName: host, RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(authorities)

	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	expect(err)
	if wrapper {
		connection = tls.Client(connection, config)
	}
	client, err := smtp.NewClient(connection, host)
	expect(err)
	if !wrapper {
		expect(client.StartTLS(config))
	}
	expect(client.Auth(smtp.PlainAuth("", os.Getenv("SMTP_USER_NAME"), os.Getenv("SMTP_PASSWORD"), host)))
	expect(client.Mail(sender))
	expect(client.Rcpt(recipient))
	message, err := client.Data()
	expect(err)
	_, err = io.Copy(message, os.Stdin)
	expect(err)
	expect(message.Close())
	expect(client.Quit())
}

func expect(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
