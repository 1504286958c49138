variable "user" {
  description = "The name of the IAM user who sends"
  type        = string
}

variable "from" {
  description = "The addresses that it may send from, with * and ?"
  type        = list(string)
}

variable "secret" {
  description = "The name of the secret that gets the credential"
  type        = string
}

variable "region" {
  description = "The region whose SMTP endpoint it is for"
  type        = string
}

variable "zip" {
  description = "The package of the function: a zip with seskey in it, called bootstrap"
  type        = string
}

variable "rotation_days" {
  description = "How many days after a rotation the next one begins"
  type        = number
  default     = 60
}

variable "daily" {
  description = "When what is due of the old key is done"
  type        = string
  default     = "cron(17 3 * * ? *)"
}
