output "secret_arn" {
  description = "What the application reads"
  value       = aws_secretsmanager_secret.smtp.arn
}

output "function_arn" {
  description = "For other secrets that Secrets Manager is to rotate"
  value       = aws_lambda_function.seskey.arn
}
