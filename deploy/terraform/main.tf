# An IAM user who sends, a secret with its SMTP credential, and the function by which Secrets Manager rotates it.
#
#   module "mail" {
#     source = "git::https://github.com/seskey/seskey.git//deploy/terraform"
#     user   = "my-app"
#     from   = ["*@example.com"]
#     secret = "mail/my-app"
#     region = "eu-west-1"
#     zip    = "seskey.zip"
#   }
#
# No key and no password is ever in the state: the secret is made without a value, and the first rotation fills it.

data "aws_caller_identity" "own" {}

# --- the sender

resource "aws_iam_user" "sender" {
  name = var.user
  # its keys are not made here
  force_destroy = true

  lifecycle {
    # rotations keep notes in tags
    ignore_changes = [tags, tags_all]
  }
}

resource "aws_iam_user_policy" "sending" {
  name = "AmazonSesSendingAccess"
  user = aws_iam_user.sender.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "ses:SendRawEmail"
      Resource  = "*"
      Condition = { StringLike = { "ses:FromAddress" = var.from } }
    }]
  })
}

# --- the secret of the application

resource "aws_secretsmanager_secret" "smtp" {
  name = var.secret
  tags = {
    "seskey:user"   = aws_iam_user.sender.name
    "seskey:region" = var.region
  }
}

resource "aws_secretsmanager_secret_rotation" "smtp" {
  secret_id           = aws_secretsmanager_secret.smtp.id
  rotation_lambda_arn = aws_lambda_function.seskey.arn
  # the first rotation fills the secret
  rotate_immediately = true

  rotation_rules {
    automatically_after_days = var.rotation_days
  }

  depends_on = [aws_lambda_permission.secrets_manager, aws_iam_role_policy.rotate, aws_iam_role_policy.secret]
}

# --- the function

resource "aws_lambda_function" "seskey" {
  function_name    = "seskey-${var.user}"
  role             = aws_iam_role.seskey.arn
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip)
  runtime          = "provided.al2023"
  architectures    = ["x86_64"]
  handler          = "bootstrap"
  memory_size      = 128
  timeout          = 120

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.seskey.name
  }
}

resource "aws_cloudwatch_log_group" "seskey" {
  name              = "/aws/lambda/seskey-${var.user}"
  retention_in_days = 400
}

# source_account keeps other accounts from having Secrets Manager call this function for them
resource "aws_lambda_permission" "secrets_manager" {
  function_name  = aws_lambda_function.seskey.function_name
  action         = "lambda:InvokeFunction"
  principal      = "secretsmanager.amazonaws.com"
  source_account = data.aws_caller_identity.own.account_id
}

resource "aws_iam_role" "seskey" {
  name = "seskey-${var.user}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "log" {
  name = "log"
  role = aws_iam_role.seskey.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.seskey.arn}:*"
    }]
  })
}

# rotate.json is the output of `seskey policy operator --for rotate`; here it is for this user alone
resource "aws_iam_role_policy" "rotate" {
  name   = "rotate"
  role   = aws_iam_role.seskey.id
  policy = replace(file("${path.module}/rotate.json"), "arn:*:iam::*:user/*", aws_iam_user.sender.arn)
}

resource "aws_iam_role_policy" "secret" {
  name = "secret"
  role = aws_iam_role.seskey.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ]
      Resource = aws_secretsmanager_secret.smtp.arn
    }]
  })
}

# --- the due work on the old key, once a day

resource "aws_scheduler_schedule" "daily" {
  name                = "seskey-${var.user}"
  schedule_expression = var.daily

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 60
  }

  target {
    arn      = aws_lambda_function.seskey.arn
    role_arn = aws_iam_role.schedule.arn
    input    = jsonencode({ apply = { secrets = [aws_secretsmanager_secret.smtp.arn] } })
  }
}

resource "aws_iam_role" "schedule" {
  name = "seskey-${var.user}-schedule"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.own.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "invoke" {
  name = "invoke"
  role = aws_iam_role.schedule.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = aws_lambda_function.seskey.arn
    }]
  })
}
