# The bot, without the test tools. Data lives in the volume; give the token as an environment variable.
FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data
RUN useradd --create-home --uid 10001 atelier && install -d -o atelier -m 0700 /data
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY bot bot
COPY cogs cogs
COPY storage storage
USER atelier
VOLUME /data
CMD ["python", "-m", "bot", "run"]
