import jakarta.mail.Authenticator;
import jakarta.mail.MessagingException;
import jakarta.mail.PasswordAuthentication;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.util.Map;
import java.util.Properties;

/** Jakarta Mail, which prefers AUTH LOGIN. */
class JakartaMail {
    public static void main(String[] arguments) {
        boolean startTls = arguments[0].equals("starttls");
        Map<String, String> env = System.getenv();
        Properties settings = new Properties();
        settings.putAll(Map.of(
                "mail.smtp.host", env.get("SMTP_HOST"),
                "mail.smtp.port", env.get("SMTP_PORT"),
                "mail.smtp.auth", "true",
                "mail.smtp.from", arguments[1],
                "mail.smtp.starttls.enable", startTls,
                "mail.smtp.starttls.required", startTls,
                "mail.smtp.ssl.enable", !startTls,
                "mail.smtp.ssl.checkserveridentity", "true"));
        Session session = Session.getInstance(settings, new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(env.get("SMTP_USER_NAME"), env.get("SMTP_PASSWORD"));
            }
        });
        try {
            Transport.send(new MimeMessage(session, System.in), InternetAddress.parse(arguments[2]));
        } catch (MessagingException refusal) {
            System.out.println(refusal);
            System.exit(1);
        }
    }
}
