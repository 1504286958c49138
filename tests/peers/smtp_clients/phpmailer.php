#!/usr/bin/env php
<?php
// PHPMailer, which prefers AUTH LOGIN

if (!@include 'libphp-phpmailer/autoload.php') {
    echo "PHPMailer is not installed\n";
    exit(127);
}

[, $tls, $sender, $recipient] = $argv;
[$head, $body] = explode("\n\n", stream_get_contents(STDIN), 2);

$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->SMTPDebug = 2;  // with the replies of the server
$mail->Host = '127.0.0.1';
$mail->Port = getenv('SMTP_PORT');
$mail->SMTPSecure = ['starttls' => $mail::ENCRYPTION_STARTTLS, 'tls-wrapper' => $mail::ENCRYPTION_SMTPS][$tls];
$mail->SMTPOptions = ['ssl' => ['cafile' => getenv('SESKEY_CA_FILE'), 'peer_name' => getenv('SMTP_HOST')]];
$mail->SMTPAuth = true;
$mail->Username = getenv('SMTP_USER_NAME');
$mail->Password = getenv('SMTP_PASSWORD');
$mail->setFrom($sender);
$mail->addAddress($recipient);
$mail->Subject = iconv_mime_decode_headers($head)['Subject'];
$mail->Body = $body;
try {
    $mail->send();
} catch (PHPMailer\PHPMailer\Exception $refusal) {
    echo $refusal->getMessage(), "\n";
    exit(1);
}
