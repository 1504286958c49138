//! A browser without a window: it keeps the cookie, follows a job to its end, and knows the token of the forms.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use regex::Regex;
use testkit::tls;

/// A browser at the pages of one console.
pub(crate) struct Browser {
    pub(crate) address: String,
    /// The authority that it trusts, if the pages are served over TLS.
    ca_pem: Option<String>,
    cookie: Option<String>,
    pub(crate) form_token: String,
}

/// An answer to the browser.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Browser {
    /// Returns a browser that has opened nothing.
    pub(crate) fn stranger(url: &str) -> Self {
        let address = url.split('/').nth(2).unwrap().to_owned();
        Self { address, ca_pem: None, cookie: None, form_token: String::new() }
    }

    /// Returns a browser that has opened nothing, over TLS.
    pub(crate) fn trusting(url: &str, ca_pem: &str) -> Self {
        Self { ca_pem: Some(ca_pem.to_owned()), ..Self::stranger(url) }
    }

    /// Returns a browser that has opened the printed address.
    pub(crate) fn open(url: &str) -> Self {
        Self::stranger(url).opened(url)
    }

    /// Opens the printed address in this browser.
    pub(crate) fn opened(mut self, url: &str) -> Self {
        let path = &url[url.find("/?").unwrap()..];
        let answer = self.get(path);
        assert_eq!(answer.status, 303, "{}", answer.head);
        let cookie = answer.header("set-cookie").unwrap();
        self.cookie = cookie.split(';').next().map(str::to_owned);
        let form = self.get("/credentials/new");
        let token = Regex::new(r#"name="form_token" value="([0-9a-f]{32})""#).unwrap();
        self.form_token = token.captures(&form.body).unwrap()[1].to_owned();
        self
    }

    pub(crate) fn origin(&self) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[], "")
    }

    /// Posts a form as a page sends it.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = ("form_token", self.form_token.as_str());
        let body = encoded(fields.iter().copied().chain([token]));
        let own = format!("Origin: {}", self.origin());
        self.send("POST", path, &[FORM, &own, "Sec-Fetch-Site: same-origin"], &body)
    }

    pub(crate) fn send(&self, method: &str, path: &str, fields: &[&str], body: &str) -> Page {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let host = format!("Host: {}", self.address);
        let has_host = fields.iter().any(|field| field.starts_with("Host:"));
        for field in fields.iter().copied().chain((!has_host).then_some(host.as_str())) {
            head += &format!("{field}\r\n");
        }
        if let Some(cookie) = &self.cookie {
            head += &format!("Cookie: other=1; {cookie}\r\n");
        }
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let answer = self.exchange(&request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Returns the answer up to the end of the connection. Every name leads to this machine.
    fn exchange(&self, request: &str) -> String {
        let (name, port) = self.address.rsplit_once(':').unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        if let Some(ca_pem) = &self.ca_pem {
            return tls::ask(address, name, ca_pem, request).unwrap();
        }
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Returns the answer of a port of this machine to a client that does not speak TLS.
    pub(crate) fn answer_in_clear(port: u16) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = vec![];
        // the server may close the connection before it has read everything
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Submits a form, and waits for the end of its job.
    pub(crate) fn done(&self, path: &str, fields: &[(&str, &str)]) -> (String, Page) {
        let begun = self.post(path, &[fields, &[("step", "begin")]].concat());
        assert_eq!(begun.status, 303, "{}", begun.body);
        let job = begun.header("location").unwrap().to_owned();
        let page = self.end(&job);
        (job, page)
    }

    /// Waits until a job is over, and returns its page.
    pub(crate) fn end(&self, job: &str) -> Page {
        let begun = Instant::now();
        loop {
            let page = self.get(job);
            assert_eq!(page.status, 200, "{}", page.body);
            if !page.body.contains("Under way") {
                return page;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", page.body);
            thread::sleep(Duration::from_millis(50));
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Returns the text of the page.
    pub(crate) fn text(&self) -> String {
        let text = Regex::new("<[^>]*>").unwrap().replace_all(&self.body, "").into_owned();
        let signs =
            [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
        signs.iter().fold(text, |text, (escaped, sign)| text.replace(escaped, sign))
    }
}

pub(crate) fn encoded<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
