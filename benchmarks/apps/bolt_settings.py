"""Django's settings for bolt_app.py: nothing but what django-bolt needs."""

SECRET_KEY = "of no use to anybody"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_bolt"]
ROOT_URLCONF = "bolt_settings"
BOLT_API = ["bolt_app:api"]
BOLT_MAX_UPLOAD_SIZE = 16 * 1024 * 1024
LOGGING_CONFIG = None
USE_TZ = True

urlpatterns = []
