"""An OAuth server of one file: django-oauth-toolkit with client registration that is open to everybody."""
import os
import sys
import warnings

import django
from django.conf import settings
from django.core.management import call_command
from django.urls import include, path

warnings.filterwarnings("ignore")
settings.configure(
    SECRET_KEY=os.urandom(32).hex(),
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    LOGGING={"version": 1, "handlers": {"all": {"class": "logging.StreamHandler"}}, "loggers": {"django": {"handlers": ["all"]}}},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OAUTH2_PROVIDER={
        "DCR_ENABLED": True,
        "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
        "SCOPES": {"read": "Read"},
    },
)
django.setup()
urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]

if __name__ == "__main__":
    if sys.argv[1:2] == ["set"]:  # the administrator: set CLIENT_ID, with the new secret on stdin
        from oauth2_provider.models import get_application_model

        application = get_application_model().objects.get(client_id=sys.argv[2])
        application.client_secret = sys.stdin.readline().strip()
        application.save()
        sys.exit()
    call_command("migrate", verbosity=0)
    sys.argv = [__file__, "runserver"]
    call_command("runserver", "127.0.0.1:" + os.environ["PORT"], use_reloader=False)
